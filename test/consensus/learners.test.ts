/**
 * Members without a vote (dissertation §4.2.1).
 */

import t from 'tap';
import type { VoteRequest } from '../../src/consensus/core/messages.ts';
import { CoreGroup } from '../support/core-group.ts';

const group3 = () => new CoreGroup(['a', 'b', 'c'], {}, { learners: ['d'] });

t.test('a learner is sent the log and applies what is committed', async (t) => {
  const group = group3();
  group.elect('a');
  group.propose('a', 'x');
  group.settle();
  t.same(group.commandsOf('d'), ['x']);
});

t.test('what it holds counts for no commit', async (t) => {
  const group = group3();
  group.elect('a');
  group.cut.add('b').add('c');
  group.propose('a', 'x');
  group.pass(3, ['b', 'c']);
  t.match(group.of('d').core.status, { lastIndex: 2, commit: 1 });
  t.equal(group.of('a').core.status.commit, 1);
});

t.test('its answers keep no leader in place', async (t) => {
  const group = group3();
  group.elect('a');
  group.cut.add('b').add('c');
  group.pass(25, ['b', 'c', 'd']);
  t.equal(group.of('a').core.status.role, 'follower');
});

t.test('it does not stand for election, nor takes the lead when told to', async (t) => {
  const group = group3();
  group.elect('a');
  const { core } = group.of('d');
  core.campaign();
  group.tick('d', 100);
  core.step({ type: 'timeoutNow', from: 'a', to: 'd', term: 1, handover: 0 });
  t.equal(core.status.role, 'follower');
  t.equal(group.of('a').core.transfer('d'), 'notVoter');
});

t.test(
  'asked for its vote it answers by the rule: it may be a voter and not know it',
  async (t) => {
    const request: VoteRequest = {
      ...{ type: 'vote', from: 'b', to: 'd', term: 5, transfer: false, handover: 0 },
      ...{ lastIndex: 0, lastTerm: 0 },
    };
    const group = group3();
    group.of('d').core.step(request);
    group.of('d').core.step({ ...request, from: 'c' });
    group.work('d');
    t.match(group.inFlight, [
      { type: 'voteResponse', to: 'b', rejected: false },
      { type: 'voteResponse', to: 'c', rejected: true },
    ]);
  },
);

t.test('a promoted learner that has not heard of it elects who has', async (t) => {
  // The change is committed by a, b and c, and a is gone.
  const group = new CoreGroup(['a', 'b', 'c'], { checkQuorum: false }, { learners: ['d'] });
  group.elect('a');
  group.cut.add('d');
  group.of('a').core.proposeConfig({
    changes: [{ kind: 'addVoter', id: 'd' }],
    ...{ transition: 'auto', context: '' },
  });
  group.settle();
  t.same(group.of('b').core.membership.voters, ['a', 'b', 'c', 'd']);
  t.same(group.of('d').core.membership.learners, ['d']);
  group.cut.clear();
  group.cut.add('a');
  group.inFlight = [];
  group.elect('b');
  t.equal(group.leader, 'b', 'three of four have voted');
  t.same(group.of('d').core.membership.learners, []);
});

t.test('a candidate counts no vote of a learner', async (t) => {
  const group = new CoreGroup(['a', 'b', 'c'], { preVote: false }, { learners: ['d', 'e'] });
  group.cut.add('b').add('c');
  group.of('a').core.campaign();
  group.settle();
  for (const from of ['d', 'e']) {
    group.of('a').core.step({ type: 'voteResponse', from, to: 'a', term: 1, rejected: false });
  }
  t.equal(group.of('a').core.status.role, 'candidate');
});
