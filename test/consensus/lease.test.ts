/**
 * The leader's lease (safety rules 1, 2 and 4): how long it lasts, and what a change of the
 * configuration means for it.
 */

import fc from 'fast-check';
import t from 'tap';
import type { MemberChange } from '../../src/consensus/core/membership/change.ts';
import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import { changed } from '../../src/consensus/core/membership/reconfigure.ts';
import { majorityOf } from '../../src/consensus/core/quorum/majority.ts';
import type { Membership } from '../../src/consensus/core/types.ts';
import { Lease, withoutDrift } from '../../src/consensus/host/lease.ts';
import { LEASE_MS, LoneHost, TICK_MS } from '../support/lone-host.ts';

const GROUP = membershipOf({ voters: ['a', 'b', 'c'] });

/** Of leader `a`, whose rounds were answered by whom. */
function leaseOf(rounds: readonly { readonly atMs: number; readonly by: readonly string[] }[]) {
  const lease = new Lease('a');
  for (const [round, { atMs, by }] of rounds.entries()) {
    lease.roundSent(round, atMs);
    for (const id of by) lease.answered(id, round, 1000);
  }
  return lease;
}

t.test('it lasts from when the round was sent, less what two clocks drift apart', async (t) => {
  const lease = leaseOf([{ atMs: 100, by: ['b'] }]);
  t.equal(lease.endMs(GROUP), 100 + withoutDrift(1000));
  t.equal(leaseOf([{ atMs: 100, by: [] }]).endMs(GROUP), 0, 'no majority has promised');
});

t.test('it ends by the promise that a majority still keeps', async (t) => {
  const group = membershipOf({ voters: ['a', 'b', 'c', 'd', 'e'] });
  const lease = leaseOf([
    { atMs: 0, by: ['b', 'c', 'd'] },
    { atMs: 200, by: ['b', 'c'] },
    { atMs: 400, by: ['b'] },
  ]);
  t.equal(lease.endMs(group), 200 + withoutDrift(1000));
});

t.test('an answer to a round of an earlier lead, or to none, counts for nothing', async (t) => {
  const lease = leaseOf([{ atMs: 100, by: ['b'] }]);
  lease.reset();
  lease.answered('b', 0, 1000);
  lease.answered('b', 77, 1000);
  t.equal(lease.endMs(GROUP), 0);
});

t.test('what a learner promises counts for nothing', async (t) => {
  const lease = leaseOf([{ atMs: 100, by: ['d', 'e'] }]);
  t.equal(lease.endMs(membershipOf({ ...GROUP, learners: ['d', 'e'] })), 0);
});

t.test('in a joint configuration a majority of either half has promised', async (t) => {
  const joint = membershipOf({ voters: ['a', 'd', 'e'], outgoing: ['a', 'b', 'c'] });
  t.equal(leaseOf([{ atMs: 100, by: ['b', 'c'] }]).endMs(joint), 0, 'the new half is silent');
  t.equal(leaseOf([{ atMs: 100, by: ['d', 'e'] }]).endMs(joint), 0, 'the old half is');
  const lease = leaseOf([
    { atMs: 100, by: ['b', 'd'] },
    { atMs: 300, by: ['d'] },
  ]);
  t.equal(lease.endMs(joint), 100 + withoutDrift(1000));
});

t.test('the next change waits until the lease rests on the voters of now', async (t) => {
  const lease = leaseOf([{ atMs: 100, by: ['b'] }]);
  const told = lease.tell(GROUP, Number.POSITIVE_INFINITY);
  t.equal(told, lease.endMs(GROUP));
  t.ok(lease.covers(GROUP, 200));
  const next = membershipOf({ voters: ['a', 'b', 'c', 'd', 'e'] });
  t.notOk(lease.covers(next, 200), 'two of five have promised');
  t.equal(lease.tell(next, told), told, 'what was promised before the change still holds');
  t.ok(lease.covers(next, told), 'the lease is over');
  lease.roundSent(9, 300);
  lease.answered('d', 9, 1000);
  lease.answered('c', 9, 1000);
  t.ok(lease.covers(next, 301));
});

const change: fc.Arbitrary<MemberChange> = fc.record({
  kind: fc.constantFrom('addVoter', 'addLearner', 'remove'),
  id: fc.constantFrom('b', 'c', 'd', 'e', 'f'),
});

t.test('nobody who knows a change less can be elected while a lease lasts', async (t) => {
  // Whoever wins by the configuration before needs a voter that promised by the one of now.
  const group = membershipOf({ voters: ['a', 'b', 'c'] });
  const subset = (ids: readonly string[], bits: number) => ids.filter((_, at) => (bits >> at) & 1);
  fc.assert(
    fc.property(fc.array(change, { maxLength: 4 }), fc.nat(255), fc.nat(255), (changes, x, y) => {
      const before = group;
      let after: Membership;
      try {
        after = changed(before, { changes, transition: 'auto', context: '' });
      } catch {
        return;
      }
      const all = [...new Set([...before.voters, ...after.voters])];
      const [promised, voting] = [subset(all, x), subset(all, y)];
      const lease = leaseOf([{ atMs: 100, by: promised }]);
      if (!after.voters.includes('a') || lease.endMs(after) === 0) return;
      const isQuorum = (voters: readonly string[]) =>
        voters.filter((id) => voting.includes(id)).length >= majorityOf(voters.length);
      if (isQuorum(before.voters)) {
        t.ok(voting.some((id) => id === 'a' || promised.includes(id)));
      }
    }),
    { numRuns: 3000 },
  );
});

const add = (id: string) =>
  ({ changes: [{ kind: 'addVoter', id }], transition: 'auto', context: '' }) as const;

t.test('a host tells of a change, and keeps it, as soon as it is committed', async (t) => {
  const it = new LoneHost('a', GROUP);
  it.lead('b', 'c');
  t.match(it.host.proposeConfig(add('d')), { kind: 'accepted', first: 2 });
  it.settle();
  t.match(it.memberships, [{ voters: ['a', 'b', 'c', 'd'] }]);
  const kept = it.stored.flatMap(({ membership }) => membership ?? []);
  t.match(kept, [{ index: 2, membership: { voters: ['a', 'b', 'c', 'd'] } }]);
});

t.test('a host refuses the next change until its lease rests on the voters of now', async (t) => {
  const it = new LoneHost('a', GROUP);
  it.lead('b', 'c');
  it.answering.delete('c');
  it.pass(2);
  const byTwo = it.host.leaseEndMs;
  it.host.proposeConfig(add('d'));
  it.settle();
  t.same(it.host.membership.voters, ['a', 'b', 'c', 'd']);
  t.equal(it.host.leaseEndMs, byTwo, 'what was promised before holds on');
  t.match(it.host.proposeConfig(add('e')), { reason: 'changePending' });
  it.answering.add('d');
  it.pass(2);
  t.match(it.host.proposeConfig(add('e')), { kind: 'accepted' });
});

t.test('a leader that is removed leads no more, and is bound by what it held', async (t) => {
  const it = new LoneHost('a', GROUP);
  it.lead('b', 'c');
  const heldUntilMs = it.host.leaseEndMs;
  t.ok(heldUntilMs > it.nowMs);
  it.host.proposeConfig({ ...add('a'), changes: [{ kind: 'remove', id: 'a' }] });
  it.settle();
  t.match(it.standings.at(-1), { role: 'follower', leader: '' });
  t.equal(it.host.leaseEndMs, 0);
  t.ok(it.host.silentUntilMs >= heldUntilMs, 'it votes for nobody until then');
});

t.test('a host answers a read once a round that began later is confirmed', async (t) => {
  const it = new LoneHost('a', GROUP);
  const heard: (number | undefined)[] = [];
  it.host.readIndex((index) => heard.push(index));
  t.same(heard, [undefined], 'it does not lead');
  it.lead('b', 'c');
  it.host.readIndex((index) => heard.push(index));
  t.equal(heard.length, 1);
  it.settle();
  t.same(heard, [undefined, 1]);
  it.answering.clear();
  it.host.readIndex((index) => heard.push(index));
  it.pass(Math.ceil((2 * LEASE_MS) / TICK_MS) + 1);
  t.same(heard, [undefined, 1, undefined], 'the lead was lost before');
});
