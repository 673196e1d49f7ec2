/** What is told of copies, and when a node that stops is still needed for its own. */

import t from 'tap';
import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import { copiesOf, isCopyAwaited } from '../../src/daemon/copies.ts';
import { knowledgeOf } from '../../src/daemon/knowledge.ts';

t.test('without a witness a majority has everything that is committed', async (t) => {
  t.equal(copiesOf(membershipOf({ voters: ['a', 'b', 'c'] })), 2);
  t.equal(copiesOf(membershipOf({ voters: ['a'] })), 1);
  t.equal(copiesOf(membershipOf({})), 0, 'no group is known');
  t.equal(copiesOf(undefined), 0);
});

t.test('with a witness all of the copy set have it', async (t) => {
  const group = { voters: ['a', 'b', 'w'], witness: 'w' };
  t.equal(copiesOf(membershipOf({ ...group, copySet: ['a', 'b'] })), 2);
  t.equal(copiesOf(membershipOf({ ...group, copySet: ['a'] })), 1);
  t.equal(copiesOf(membershipOf(group)), 2, 'nothing was decreed: all that have data');
});

t.test('a node that stops stays while another needs its copy to begin', async (t) => {
  const serving = (id: string) => ({ serves: id === 'b' });
  const waiting = () => ({ serves: false });
  const gone = () => undefined;
  t.equal(isCopyAwaited('a', ['a', 'b'], waiting), true);
  t.equal(isCopyAwaited('a', ['a', 'b'], serving), false);
  t.equal(isCopyAwaited('a', ['a', 'b'], gone), false, 'nobody is there to wait for it');
  t.equal(isCopyAwaited('a', ['a'], waiting), false);
  t.equal(isCopyAwaited('a', ['b'], waiting), false, 'its copy does not count');
  t.equal(isCopyAwaited('a', [], waiting), false, 'there is no witness');
});

t.test('a member that is not open knows nothing', async (t) => {
  t.same(knowledgeOf(undefined), { lastTerm: 0, lastIndex: 0, copySet: [] });
});
