/** Quorums: the index that a majority reached, against the plain definition. */

import fc from 'fast-check';
import t from 'tap';
import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import { quorumReached, quorumVote } from '../../src/consensus/core/quorum/joint.ts';
import { majorityReached, majorityVote } from '../../src/consensus/core/quorum/majority.ts';

const voters = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), { maxLength: 7 });
const reached = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), fc.nat(20));

t.test('majorityReached() is the highest value that more than half have', async (t) => {
  fc.assert(
    fc.property(voters, reached, (ids, values) => {
      const of = (id: string) => values[id] ?? 0;
      const expected = [...Array(21).keys()]
        .filter((value) => ids.filter((id) => of(id) >= value).length * 2 > ids.length)
        .at(-1);
      return ids.length === 0
        ? majorityReached(ids, of) === Number.POSITIVE_INFINITY
        : majorityReached(ids, of) === expected;
    }),
    { numRuns: 2000 },
  );
  t.pass('2000 random groups');
});

t.test('a joint group reaches what both halves reached', async (t) => {
  fc.assert(
    fc.property(voters, voters, reached, (incoming, outgoing, values) => {
      const of = (id: string) => values[id] ?? 0;
      const membership = membershipOf({ voters: incoming, outgoing });
      const both = Math.min(majorityReached(incoming, of), majorityReached(outgoing, of));
      return quorumReached(membership, of) === both;
    }),
  );
  t.pass();
});

t.test('a vote is won by more than half, and lost when that cannot come any more', async (t) => {
  const cases = [
    { votes: 'yy_', result: 'won' },
    { votes: 'y__', result: 'pending' },
    { votes: 'ynn', result: 'lost' },
    { votes: 'nn_', result: 'lost' },
    { votes: 'yn_', result: 'pending' },
    { votes: '', result: 'won' },
  ] as const;
  for (const { votes, result } of cases) {
    const ids = [...votes].map((_, at) => `v${at}`);
    const given = new Map(
      [...votes].flatMap((vote, at) => (vote === '_' ? [] : [[`v${at}`, vote === 'y'] as const])),
    );
    t.equal(majorityVote(ids, given), result, votes);
  }
});

t.test('one half that refuses decides a joint vote', async (t) => {
  const membership = membershipOf({ voters: ['a', 'b', 'c'], outgoing: ['d', 'e', 'f'] });
  const votes = new Map([
    ['a', true],
    ['b', true],
    ['d', false],
    ['e', false],
  ]);
  t.equal(quorumVote(membership, votes), 'lost');
});
