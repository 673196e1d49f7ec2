/** Commits that must span two groups of voters. */

import fc from 'fast-check';
import t from 'tap';
import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import { groupsReached } from '../../src/consensus/core/quorum/groups.ts';
import { quorumReached } from '../../src/consensus/core/quorum/joint.ts';
import { CoreGroup } from '../support/core-group.ts';

const IDS = ['a', 'b', 'c', 'd', 'e'];

t.test('what is committed has been reached by a majority, and in two groups', async (t) => {
  const reached = fc.dictionary(fc.constantFrom(...IDS), fc.integer({ min: 1, max: 20 }));
  const groups = fc.array(fc.constantFrom('east', 'west', 'north'), { minLength: 5, maxLength: 5 });
  fc.assert(
    fc.property(reached, groups, (values, names) => {
      const of = (id: string) => values[id] ?? 0;
      const groupOf = (id: string) => names[IDS.indexOf(id)];
      const spans = (value: number) => {
        const holders = IDS.filter((id) => of(id) >= value);
        return holders.length > 2 && new Set(holders.map(groupOf)).size > 1;
      };
      const membership = membershipOf({ voters: IDS });
      const expected = [...Array(21).keys()].filter(spans).at(-1);
      // With one group for all there is nothing to span.
      const isOne = new Set(names).size === 1;
      return (
        groupsReached(membership, of, groupOf) ===
        (isOne ? quorumReached(membership, of) : expected)
      );
    }),
    { numRuns: 2000 },
  );
  t.pass('2000 random groups');
});

t.test('while some are in no group, what all have reached counts', async (t) => {
  const membership = membershipOf({ voters: ['a', 'b', 'c'] });
  const of = (id: string) => ({ a: 7, b: 6, c: 5 })[id] ?? 0;
  t.equal(
    groupsReached(membership, of, () => undefined),
    5,
  );
  t.equal(
    groupsReached(membership, of, (id) => (id === 'c' ? undefined : 'east')),
    5,
  );
});

t.test('a leader commits nothing that only its own site holds', async (t) => {
  const group = new CoreGroup(['a', 'b', 'c'], {
    groupOf: (id) => (id === 'c' ? 'west' : 'east'),
  });
  group.elect('a');
  group.cut.add('c');
  group.propose('a', 'one');
  group.settle();
  t.same(group.commandsOf('a'), [], 'a and b stand in the east');

  group.cut.delete('c');
  group.pass(2);
  t.same(group.commandsOf('a'), ['one'], 'c holds it as well');
});
