/**
 * The schedules that break the naive reading of the lease, literally (safety rules
 * 1-5). The simulation's checks throw at the first moment with two holders, or
 * with an election while an earlier lease lasts.
 */

import t from 'tap';
import type { PeerMessage } from '../../src/consensus/host/ports.ts';
import type { SimMember } from './member.ts';
import { LEASE_MS } from './plan.ts';
import { type FixedParts, Simulation } from './simulation.ts';

/** A healthy cluster in which one member serves. */
function serving(fixed: FixedParts = {}): {
  readonly simulation: Simulation;
  readonly a: SimMember;
  readonly others: readonly [SimMember, SimMember];
} {
  const simulation = Simulation.quiet(7, fixed);
  simulation.start();
  simulation.until(() => simulation.primary !== undefined, 20_000, 'nobody serves at first');
  simulation.run(3 * LEASE_MS);
  const a = simulation.primary as SimMember;
  const [b, c] = simulation.members.filter((member) => member !== a);
  return { simulation, a, others: [b as SimMember, c as SimMember] };
}

function cutPair(simulation: Simulation, x: SimMember, y: SimMember): void {
  simulation.network.cut(x.id, y.id);
  simulation.network.cut(y.id, x.id);
}

t.test('rule 1: a request to take over that arrives late, twice, moves nothing', async (t) => {
  const { simulation, a, others } = serving();
  const held: PeerMessage[] = [];
  simulation.network.intercept = (sent) => {
    if (sent.message.type !== 'timeoutNow') return 'pass';
    held.push(sent);
    return 'drop';
  };
  a.switchover = { to: others[0].id };
  simulation.until(() => held.length > 0, 5000, 'the target was never asked');
  t.equal(simulation.checks.holder, undefined, 'the service is gone before the target is asked');
  simulation.until(() => a.isServing, 5000, 'the old primary does not serve on');
  simulation.run(3 * LEASE_MS);
  simulation.network.intercept = undefined;
  for (let again = 0; again < 2; again += 1) {
    for (const message of held) simulation.network.send(message, { life: 0, damages: 0 });
    simulation.run(LEASE_MS);
  }
  t.equal(simulation.primary, a);
});

t.test(
  'rule 1: a hand-over that was followed by a new tenure lets nobody start at once',
  async (t) => {
    const { simulation, a, others } = serving();
    simulation.network.intercept = ({ message }) =>
      message.type === 'timeoutNow' ? 'drop' : 'pass';
    a.switchover = { to: others[0].id };
    simulation.until(() => a.phase === 'transferring', 5000, 'no hand-over was recorded');
    simulation.until(() => a.isServing, 5000, 'the old primary does not serve on');
    simulation.run(500);
    for (const other of others) cutPair(simulation, a, other);
    const cutAtMs = simulation.world.nowMs;
    simulation.until(() => others.some((other) => other.isServing), 20_000, 'nobody takes over');
    t.ok(simulation.world.nowMs - cutAtMs > LEASE_MS * 0.9, 'the successor waited for the lease');
  },
);

t.test('rule 1: a recorded hand-over lets its target serve without waiting', async (t) => {
  const { simulation, a, others } = serving();
  const atMs = simulation.world.nowMs;
  a.switchover = { to: others[1].id };
  simulation.until(() => others[1].isServing, 5000, 'the target does not serve');
  t.ok(simulation.world.nowMs - atMs < LEASE_MS, `${simulation.world.nowMs - atMs} ms`);
});

t.test('a leader asks for its lease at once, not a heartbeat later', async (t) => {
  const { simulation, a, others } = serving();
  const { host } = others[0];
  if (host === undefined) throw new Error('the other runs');
  a.switchover = { to: others[0].id };
  simulation.until(() => host.standing.role === 'leader', 5000, 'the target is not elected');
  const electedAtMs = simulation.world.nowMs;
  simulation.until(() => host.leaseEndMs > 0, LEASE_MS, 'there is no lease');
  const tookMs = simulation.world.nowMs - electedAtMs;
  t.ok(tookMs < host.tickMs, `a lease after ${tookMs} ms, a tick lasts ${host.tickMs} ms`);
});

t.test('rule 2: voters that were restarted keep the longest promise they ever gave', async (t) => {
  for (const drifts of [
    [-0.02, 0.02, 0.02],
    [0.02, -0.02, -0.02],
    [0, 0, 0],
  ]) {
    const { simulation, a, others } = serving({ drifts });
    const longMs = 20 * LEASE_MS;
    for (const member of simulation.members) member.host?.setLeaseMs(longMs);
    simulation.run(5 * LEASE_MS);
    t.ok(a.isServing, 'the change costs nobody the service');
    for (const other of others) {
      other.killDaemon();
      other.start();
    }
    simulation.run(LEASE_MS);
    for (const other of others) cutPair(simulation, a, other);
    const cutAtMs = simulation.world.nowMs;
    const isElected = () => others.some(({ host }) => host?.standing.role === 'leader');
    simulation.until(isElected, 3 * longMs, 'nobody is elected');
    t.ok(simulation.world.nowMs - cutAtMs > longMs * 0.9, `drifts ${drifts.join(' ')}`);
  }
});

t.test('rule 2: a lease that is made shorter again is not outlived by the leader', async (t) => {
  const { simulation, a, others } = serving({ drifts: [0.02, -0.02, 0.02] });
  for (const member of simulation.members) member.host?.setLeaseMs(10 * LEASE_MS);
  simulation.run(20 * LEASE_MS);
  for (const member of simulation.members) member.host?.setLeaseMs(LEASE_MS);
  simulation.run(LEASE_MS / 2);
  for (const other of others) cutPair(simulation, a, other);
  const isElected = () => others.some(({ host }) => host?.standing.role === 'leader');
  simulation.until(isElected, 60 * LEASE_MS, 'nobody is elected');
  t.ok(isElected());
});

t.test(
  'rule 3: a frozen daemon whose service ignores being asked is gone by the end',
  async (t) => {
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const { simulation, a, others } = serving();
      simulation.run(attempt * 37);
      a.pause();
      simulation.until(() => others.some((other) => other.isServing), 20_000, 'nobody takes over');
      a.resume();
      simulation.run(5 * LEASE_MS);
      t.not(simulation.checks.holder, a.id);
    }
  },
);

t.test('rule 4: a leader that stepped down votes for nobody while its lease lasts', async (t) => {
  const { simulation, a, others } = serving({ electionTicks: 8 });
  const [b, c] = others;
  cutPair(simulation, a, b);
  cutPair(simulation, b, c);
  simulation.run(2 * LEASE_MS);
  // The answers are lost from here: the leader finds no quorum, and has lease left.
  c.powerOff();
  simulation.until(() => a.host?.standing.role !== 'leader', LEASE_MS, 'it leads on');
  t.ok(a.leaseUntilMs > simulation.world.nowMs, 'there is lease left');
  a.host?.setEligible(false);
  simulation.network.healAll();
  const isElected = () => b.host?.standing.role === 'leader';
  simulation.until(isElected, 20 * LEASE_MS, 'the other is never elected');
  t.ok(a.leaseUntilMs <= simulation.world.nowMs, 'and none when the other was elected');
});

t.test('rule 4: nor while its guardian still holds something', async (t) => {
  const { simulation, a, others } = serving({ electionTicks: 8 });
  a.host?.resign();
  a.host?.setServiceHeld(true);
  const [b, c] = others;
  c.powerOff();
  const heldUntilMs = simulation.world.nowMs + 0.2 * LEASE_MS;
  simulation.until(
    () => b.host?.standing.role === 'leader' || simulation.world.nowMs > heldUntilMs,
    LEASE_MS,
    'time stands still',
  );
  t.not(b.host?.standing.role, 'leader');
});

t.test('rule 5: a promise outlives a forgotten leader', async (t) => {
  const { simulation, a, others } = serving({ electionTicks: 8 });
  const [b, c] = others;
  cutPair(simulation, a, b);
  simulation.run(2 * LEASE_MS);
  const term = 50;
  simulation.checks.electionHeld(term);
  const answer = { index: 0, rejected: false, hintIndex: 0, hintTerm: 0, hasLost: false };
  c.receive({
    message: { type: 'appendResponse', from: b.id, to: c.id, term, ...answer },
    promiseMs: 0,
    fromIncarnation: b.incarnation,
    toIncarnation: c.incarnation,
  });
  t.match(c.host?.standing, { leader: '', term }, 'it forgot its leader');
  const untilMs = a.leaseUntilMs;
  t.ok(untilMs > simulation.world.nowMs);
  const isElected = () =>
    simulation.members.some(({ host }) => {
      const { role, term: led } = host?.standing ?? { role: 'follower', term: 0 };
      return role === 'leader' && led > term;
    });
  simulation.until(isElected, 20 * LEASE_MS, 'nobody is elected');
  t.ok(simulation.world.nowMs >= untilMs);
});

t.test('a damaged member is not the vote that elects one with less', async (t) => {
  const { simulation, a, others } = serving();
  const [b, c] = others;
  c.powerOff();
  for (let value = 0; value < 20; value += 1) {
    a.propose(`value ${value}`);
    simulation.run(20);
  }
  const committed = simulation.checks.commitMax;
  b.damage();
  a.powerOff();
  c.start();
  for (let again = 0; again < 3; again += 1) {
    b.start();
    simulation.run(10 * LEASE_MS);
    for (const { host } of others) t.not(host?.standing.role, 'leader');
    t.equal(b.host?.isMuted, true, 'nor does it forget when it starts anew');
    b.powerOff();
  }
  a.start();
  b.start();
  simulation.until(() => a.isServing, 20 * LEASE_MS, 'the one that has everything serves again');
  simulation.until(() => b.host?.isMuted === false, 5 * LEASE_MS, 'the damaged one stays muted');
  simulation.until(() => b.appliedIndex > committed, 5 * LEASE_MS, 'and stays behind');
});

t.test('a leader that goes on gives a damaged member again what it acknowledged', async (t) => {
  const { simulation, a, others } = serving();
  const [b] = others;
  for (let value = 0; value < 20; value += 1) {
    a.propose(`value ${value}`);
    simulation.run(20);
  }
  const { term } = a.host?.standing ?? {};
  b.damage();
  b.start();
  t.equal(b.host?.isMuted, true);
  simulation.until(() => b.host?.isMuted === false, 5 * LEASE_MS, 'it is never whole again');
  simulation.until(() => b.appliedIndex === a.appliedIndex, 5 * LEASE_MS, 'it stays behind');
  t.equal(a.host?.standing.term, term, 'and nobody lost the lead for it');
});

t.test('a leader whose disk hangs is replaced within two election timeouts', async (t) => {
  const { simulation, a, others } = serving();
  a.storage.stall();
  const hungAtMs = simulation.world.nowMs;
  a.propose('what can not be written here');
  const hasLeader = () => others.some(({ host }) => host?.standing.role === 'leader');
  simulation.until(hasLeader, 2 * LEASE_MS, 'nobody replaces it');
  t.ok(simulation.world.nowMs - hungAtMs > LEASE_MS, 'and not before its lease is over');
  t.equal(a.isServing, false);
});

t.test('rule 4: a leader that starts anew within its own lease votes for nobody', async (t) => {
  const { simulation, a, others } = serving();
  const [b] = others;
  cutPair(simulation, a, b);
  simulation.run(LEASE_MS / 2);
  // The lease of before rests on the third one and on the leader itself.
  a.killDaemon();
  const killedAtMs = simulation.world.nowMs;
  a.start();
  simulation.network.healAll();
  const leads = () => simulation.members.some(({ host }) => host?.standing.role === 'leader');
  simulation.until(leads, 20_000, 'nobody is elected');
  t.ok(simulation.world.nowMs - killedAtMs > LEASE_MS * 0.9, 'only when its lease is over');
});

t.test('a member that did not hear that it is to fetch the state is told again', async (t) => {
  const { simulation, a, others } = serving({ saveEvery: 5 });
  const [b] = others;
  b.powerOff();
  for (let value = 0; value < 80; value += 1) {
    a.propose(`value ${value}`);
    simulation.run(20);
  }
  let lost = 0;
  simulation.network.intercept = ({ message }) => {
    if (message.type !== 'snapshot' || lost > 0) return 'pass';
    lost += 1;
    // The connection breaks with the message.
    simulation.world.after(50, () => a.unreachable(b.id));
    return 'drop';
  };
  b.start();
  simulation.until(() => lost > 0, 5 * LEASE_MS, 'it is not told at all');
  const isLevel = () => b.appliedIndex === a.appliedIndex;
  simulation.until(isLevel, 10 * LEASE_MS, 'it is not told again');
  t.ok(a.isServing);
});

t.test(
  'a voter that alone knows of its removal does not keep the others from electing',
  async (t) => {
    const { simulation, a, others } = serving({ ids: ['a', 'b', 'c', 'd'] });
    const [b, c] = others;
    const d = simulation.members.find((member) => ![a, b, c].includes(member)) as SimMember;
    d.powerOff();
    // What is committed is news to the removed one alone, which gets one entry more than the other.
    let index = Number.POSITIVE_INFINITY;
    simulation.network.intercept = ({ message }) => {
      const isNews = message.type === 'append' || message.type === 'heartbeat';
      if (message.to !== c.id || !isNews) return 'pass';
      const isBeyond = message.type === 'append' && (message.entries.at(-1)?.index ?? 0) > index;
      return isBeyond || message.commit >= index ? 'drop' : 'pass';
    };
    const changes = [{ kind: 'remove', id: b.id }] as const;
    const proposed = a.host?.proposeConfig({ changes, transition: 'auto', context: '' });
    index = proposed?.kind === 'accepted' ? proposed.first : 0;
    a.propose('one more');
    const knows = () => b.host?.membership.voters.includes(b.id) === false;
    simulation.until(knows, LEASE_MS, 'the removed one does not come to know it');
    t.equal(c.host?.membership.voters.length, 4, 'and the other does');
    t.ok((b.host?.status.lastIndex ?? 0) > (c.host?.status.lastIndex ?? 0));
    simulation.network.intercept = undefined;
    a.powerOff();
    d.start();
    const hasLeader = () => [c, d].some(({ isLeading }) => isLeading);
    simulation.until(hasLeader, 20 * LEASE_MS, 'nobody is elected');
  },
);
