/**
 * Schedules of a group of two data members and a witness (safety rule 23). That the
 * witness is told of nothing that one of the copy set lacks is checked at every message.
 */

import t from 'tap';
import type { SimMember } from './member.ts';
import { LEASE_MS } from './plan.ts';
import { Simulation } from './simulation.ts';

interface Scene {
  readonly simulation: Simulation;
  readonly a: SimMember;
  readonly b: SimMember;
  readonly witness: SimMember;
}

function serving(seed = 7): Scene {
  const simulation = Simulation.quiet(seed, { hasWitness: true });
  simulation.start();
  simulation.until(() => simulation.primary !== undefined, 20_000, 'nobody serves at first');
  simulation.run(3 * LEASE_MS);
  const a = simulation.primary as SimMember;
  const witness = simulation.members.at(-1) as SimMember;
  const b = simulation.members.find((member) => member !== a && member !== witness) as SimMember;
  return { simulation, a, b, witness };
}

function cutPair({ simulation, a, b }: Scene): void {
  simulation.network.cut(a.id, b.id);
  simulation.network.cut(b.id, a.id);
}

/** A client that proposes at whoever leads, about every `everyMs`. */
function load({ simulation }: Scene, everyMs: number): () => number {
  let accepted = 0;
  const propose = (): void => {
    const leader = simulation.members.find(({ host }) => host?.standing.role === 'leader');
    if (leader?.propose(`value ${accepted}`) === true) accepted += 1;
    simulation.world.after(simulation.chance.around(everyMs), propose);
  };
  propose();
  return () => accepted;
}

const copies = (member: SimMember): readonly string[] => member.host?.copySet ?? [];

t.test('blinks of the link and then the loss of the primary: the other serves', async (t) => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const scene = serving(seed);
    const { simulation, a, b } = scene;
    load(scene, 8);
    const blinks = Math.floor(simulation.chance.between(1, 6));
    for (let blink = 0; blink < blinks; blink += 1) {
      cutPair(scene);
      simulation.run(50);
      simulation.network.healAll();
      simulation.run(simulation.chance.between(0, 120));
    }
    cutPair(scene);
    // The power fails within a blink, or just after it.
    simulation.run(simulation.chance.between(0, 70));
    if (simulation.chance.happens(0.5)) simulation.network.healAll();
    a.powerOff();
    simulation.network.healAll();
    const { commitMax } = simulation.checks;
    simulation.until(() => b.isServing, 10 * LEASE_MS, `seed ${seed}: nobody takes over`);
    t.ok(b.appliedIndex >= commitMax, `seed ${seed}: nothing is lost`);
    t.same(copies(b), [b.id]);
  }
});

t.test('a secondary that is gone is left out, and back in when it is level', async (t) => {
  const scene = serving();
  const { simulation, a, b, witness } = scene;
  const accepted = load(scene, 8);
  b.powerOff();
  const goneAtMs = simulation.world.nowMs;
  simulation.until(() => copies(a).length === 1, 3 * LEASE_MS, 'it stays in the set');
  t.ok(simulation.world.nowMs - goneAtMs > LEASE_MS, 'not before an election timeout');
  simulation.run(20 * LEASE_MS);
  const committed = simulation.checks.commitMax;
  t.ok(committed > accepted() * 0.9, `${committed} of ${accepted()} are committed`);
  t.ok(a.isServing);
  b.start();
  const atMost = simulation.world.nowMs + 20 * LEASE_MS;
  let last = simulation.checks.commitMax;
  while (copies(a).length === 1 && simulation.world.nowMs < atMost) {
    simulation.run(LEASE_MS / 4);
    t.ok(simulation.checks.commitMax > last, 'commits go on while it catches up');
    last = simulation.checks.commitMax;
  }
  t.same(copies(a), [a.id, b.id].sort());
  simulation.run(LEASE_MS);
  a.powerOff();
  simulation.until(() => b.isServing, 10 * LEASE_MS, 'the other does not take over');
  t.ok(b.appliedIndex >= last);
  t.equal(witness.host?.standing.role, 'follower');
});

t.test('a stale secondary never leads by itself, and the one that has all does', async (t) => {
  const scene = serving();
  const { simulation, a, b } = scene;
  load(scene, 8);
  b.powerOff();
  simulation.run(10 * LEASE_MS);
  t.same(copies(a), [a.id]);
  a.powerOff();
  b.start();
  for (let lease = 0; lease < 20; lease += 1) {
    simulation.run(LEASE_MS);
    t.not(b.host?.standing.role, 'leader');
  }
  a.start();
  simulation.until(() => a.isServing, 20 * LEASE_MS, 'the one that has everything does not serve');
  simulation.until(() => copies(a).length === 2, 20 * LEASE_MS, 'the other is not taken back');
});

t.test('the loss of the witness costs nothing', async (t) => {
  const scene = serving();
  const { simulation, a, witness } = scene;
  load(scene, 8);
  const { term } = a.host?.standing ?? {};
  witness.powerOff();
  const { commitMax } = simulation.checks;
  simulation.run(10 * LEASE_MS);
  t.ok(a.isServing);
  t.equal(a.host?.standing.term, term);
  t.ok(simulation.checks.commitMax > commitMax + 100);
  witness.start();
  simulation.run(2 * LEASE_MS);
  t.ok((witness.host?.status.lastIndex ?? 0) > commitMax + 100, 'and it comes to know of all');
});

t.test('a primary without room for the journal makes place for the other', async (t) => {
  const scene = serving();
  const { simulation, a, b } = scene;
  load(scene, 8);
  a.storage.fill();
  simulation.until(() => b.isServing, 10 * LEASE_MS, 'nobody takes over');
  const { commitMax } = simulation.checks;
  simulation.run(3 * LEASE_MS);
  t.ok(simulation.checks.commitMax > commitMax, 'commits go on without its copy');
  t.same(copies(b), [b.id]);
  a.storage.relieve();
  simulation.until(() => copies(b).length === 2, 10 * LEASE_MS, 'it is not taken back');
});

t.test('a planned move needs no witness to lift its promise', async (t) => {
  const { simulation, a, b } = serving();
  const atMs = simulation.world.nowMs;
  a.switchover = { to: b.id };
  simulation.until(() => b.isServing, 5000, 'the target does not serve');
  t.ok(simulation.world.nowMs - atMs < LEASE_MS, `${simulation.world.nowMs - atMs} ms`);
});
