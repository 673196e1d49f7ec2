/** What follows from the members: words for changes, and who stands for election sooner. */

import fc from 'fast-check';
import t from 'tap';
import { electionJitter } from '../../../src/daemon/members/election-jitter.ts';
import type { RosterMember } from '../../../src/daemon/members/roster.ts';
import { rosterChanges } from '../../../src/daemon/members/roster-changes.ts';

function member(id: string, changes: Partial<RosterMember> = {}): RosterMember {
  return {
    ...{ id, standing: 'voter', endpoint: undefined, incarnation: `${id}-1` },
    ...{ address: `${id}:7400`, priority: 0, site: '', canBePrimary: true },
    ...changes,
  };
}

t.test('each change of the members is one sentence', async (t) => {
  const before = [member('m1'), member('m2', { standing: 'learner' }), member('m3')];
  const after = [
    member('m1', { priority: 9, address: 'x:1' }),
    member('m2'),
    member('m4', { standing: 'learner' }),
  ];
  t.same(rosterChanges(before, after), [
    'm3 is no member any more: it was a voter',
    'm1 is at x:1 now',
    'm1 has priority 9 now',
    'm2 is a voter now, it was a learner',
    'm4 is a member: a learner at m4:7400',
  ]);
  t.same(rosterChanges(after, after), []);
});

t.test(
  'who has the higher priority stands for election sooner, nobody later than allowed',
  async (t) => {
    const members = [member('m1', { priority: 9 }), member('m2', { priority: 5 }), member('m3')];
    const parts = members.map((self) => electionJitter({ self, members }, 20));
    t.same(parts, [
      { from: 0, below: 6 },
      { from: 6, below: 13 },
      { from: 13, below: 20 },
    ]);
  },
);

t.test('members of one priority share the whole range', async (t) => {
  const members = [member('m1'), member('m2')];
  t.same(electionJitter({ self: members[0], members }, 20), { from: 0, below: 20 });
  t.same(electionJitter({ self: undefined, members }, 20), { from: 0, below: 20 });
});

t.test('who never stands takes no part of the range from the others', async (t) => {
  const members = [
    member('m1'),
    member('m2', { priority: 9, standing: 'learner' }),
    member('m3', { priority: 8, canBePrimary: false }),
    member('m4', { priority: 7, standing: 'witness' }),
  ];
  t.same(electionJitter({ self: members[0], members }, 20), { from: 0, below: 20 });
});

t.test('every part is a part of the range, and there is one for each', async (t) => {
  const priorities = fc.array(fc.nat(1000), { minLength: 1, maxLength: 30 });
  const property = fc.property(priorities, fc.integer({ min: 1, max: 40 }), (all, ticks) => {
    const members = all.map((priority, at) => member(`m${at}`, { priority }));
    return members.every((self) => {
      const { from, below } = electionJitter({ self, members }, ticks);
      return from >= 0 && below > from && below <= ticks;
    });
  });
  t.equal(fc.check(property).counterexample, null);
});
