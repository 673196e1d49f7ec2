/**
 * One simulated cluster from one seed: faults while clients propose, then peace
 * (peace.ts), in which it must come to rest.
 */

import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import {
  type MemberDetail,
  type Membership,
  NO_NODE,
  type PlacedMembership,
} from '../../src/consensus/core/types.ts';
import type { PeerMessage } from '../../src/consensus/host/ports.ts';
import { Checks } from './checks/checks.ts';
import { Clients } from './clients.ts';
import { SimClock } from './clock.ts';
import { Counts } from './counts.ts';
import { messageText } from './describe.ts';
import { Faults } from './faults/faults.ts';
import { incarnationOf, NOTHING_KNOWN, SimMember } from './member.ts';
import { type Connection, type NetworkSettings, SimNetwork } from './network.ts';
import { Operator } from './operator.ts';
import { Peace } from './peace.ts';
import { drawPlan, LEASE_MS, memberSettings, type Plan, type RunOptions } from './plan.ts';
import type { SimProcess } from './process.ts';
import { Chance } from './random.ts';
import { FastStorage } from './storage/fast-storage.ts';
import { JournalStorage } from './storage/journal-storage.ts';
import type { MemberStorage } from './storage/member-storage.ts';
import { TENURE_TAG } from './tenure-text.ts';
import { Violation } from './violation.ts';
import { World } from './world.ts';

/** What clocks may be off: 2 %. */
const DRIFT_MAX = 0.02;

/** Until a lost connection is noticed. */
const NOTICE_MS_MEAN = LEASE_MS / 5;

/** Which condition made a message come to that. */
const FATES = {
  lost: 'fault loss',
  replayed: 'fault replay',
  clogged: 'fault slowMessages',
  late: 'fault lateMessages',
  cut: 'message cut off',
};

/** What a written schedule decides instead of chance: a quiet cluster of three. */
export interface FixedParts {
  readonly electionTicks?: number;
  /** Default: a, b, c. */
  readonly ids?: readonly string[];
  /** Entries after which the log is dropped. Default: never. */
  readonly saveEvery?: number;
  /** The last member is a witness. */
  readonly hasWitness?: boolean;
  /** Drift of each member's clock. */
  readonly drifts?: readonly number[];
}

export interface SimulationResult {
  readonly seed: number;
  readonly violation: Violation | undefined;
  /** What happened, a line for each event; empty unless it was asked for. */
  readonly trace: readonly string[];
  /** How often each kind of thing happened. */
  readonly counts: Readonly<Record<string, number>>;
  readonly committed: number;
  /** Of everything that happened, for comparing two runs to the bit. */
  readonly fingerprint: string;
  /** True time until the end of the faults, or to the violation, in ticks. */
  readonly ticks: number;
}

export class Simulation {
  readonly plan: Plan;
  readonly world = new World();
  readonly chance: Chance;
  readonly counts = new Counts();
  readonly members: readonly SimMember[];
  readonly network: SimNetwork;
  readonly checks: Checks;
  readonly operator: Operator;
  readonly clients: Clients;
  readonly faults: Faults;
  /** The member that keeps no data, if there is one. */
  readonly witness: string | undefined;
  readonly #byId = new Map<string, SimMember>();
  /** Connections whose loss is about to be noticed. */
  readonly #brokenLinks = new Set<string>();
  readonly #trace: string[] = [];
  readonly #isTraced: boolean;

  constructor(plan: Plan, isTraced = false, fixed: FixedParts = {}) {
    this.plan = plan;
    this.#isTraced = isTraced;
    // Another one than the plan was drawn from, so that what is drawn there shifts nothing here.
    this.chance = new Chance(plan.seed * 2 + 1);
    const { chance, world, counts } = this;
    this.witness = plan.hasWitness ? plan.ids.at(-1) : undefined;
    const membership = firstMembership(plan.ids, this.witness);
    this.checks = new Checks(world, counts, membership);
    this.network = new SimNetwork(world, chance.fork(), plan.network, {
      deliver: (message, connection) => this.#deliver(message, connection),
      onFate: (fate) => counts.add(FATES[fate]),
      onBroken: (from, to) => this.#broken(from, to),
    });
    this.operator = new Operator(this);
    this.clients = new Clients(this);
    this.faults = new Faults(this);
    const placed = { index: 0, membership };
    const founders = plan.ids.map((id, at) => this.#makeMember(id, placed, fixed.drifts?.[at]));
    const spares = plan.spares.map((id) => this.#makeMember(id, undefined));
    this.members = [...founders, ...spares];
    for (const member of this.members) {
      this.#byId.set(member.id, member);
      this.checks.watch(member);
    }
  }

  /** Three members without clients or faults, on a network that loses nothing. */
  static quiet(seed: number, fixed: FixedParts = {}): Simulation {
    const simulation = new Simulation(quietPlan(seed, fixed), false, fixed);
    simulation.network.isReliable = true;
    return simulation;
  }

  /** The member that serves, if any. */
  get primary(): SimMember | undefined {
    return this.members.find((member) => member.isServing && !member.isPaused);
  }

  get trace(): readonly string[] {
    return this.#trace;
  }

  /** Notes what happened, where somebody wants to read it. */
  note(text: () => string): void {
    if (!this.#isTraced) return;
    this.#trace.push(`${this.world.nowMs.toFixed(2).padStart(12)} ${text()}`);
  }

  /** Lets so much true time pass. */
  run(forMs: number): void {
    const untilMs = this.world.nowMs + forMs;
    while (this.world.step(untilMs));
  }

  /** Lets time pass until `isReached`; throws a violation when it takes too long. */
  until(isReached: () => boolean, withinMs: number, what: string): void {
    const untilMs = this.world.nowMs + withinMs;
    while (!isReached()) {
      if (!this.world.step(untilMs)) throw new Violation('liveness', what);
    }
  }

  /** Starts every member of the first configuration. */
  start(): void {
    for (const id of this.plan.ids) this.member(id).start();
  }

  member(id: string): SimMember {
    return this.#byId.get(id) as SimMember;
  }

  result(violation: Violation | undefined): SimulationResult {
    const { plan, trace, world } = this;
    return {
      seed: plan.seed,
      violation,
      trace,
      counts: this.counts.all,
      fingerprint: world.fingerprint,
      committed: this.checks.commitMax,
      ticks: Math.ceil(world.nowMs / plan.tickMs),
    };
  }

  /** A connection ends with its process; only who is muted needs that. */
  #deliver(message: PeerMessage, { life, damages }: Connection): void {
    const member = this.member(message.message.to);
    // Nor does what was acknowledged before a loss arrive after it (see host/muting.ts).
    if (damages !== this.member(message.message.from).damages) return;
    if (!member.isUp) this.#broken(message.message.from, member.id);
    if (life !== member.life && member.storage.durable.isMuted) return;
    this.note(() => messageText(message));
    member.receive(message);
  }

  /** The sender notices after a while that its connection is gone. */
  #broken(from: string, to: string): void {
    const link = `${from} ${to}`;
    if (this.#brokenLinks.has(link)) return;
    this.#brokenLinks.add(link);
    this.world.after(this.chance.around(NOTICE_MS_MEAN), () => {
      this.#brokenLinks.delete(link);
      this.member(from).unreachable(to);
    });
  }

  #send(message: PeerMessage): void {
    this.counts.message(message.message.type);
    const { life } = this.member(message.message.to);
    const { damages } = this.member(message.message.from);
    this.network.send(message, { life, damages });
  }

  #makeMember(id: string, placed: PlacedMembership | undefined, drift?: number): SimMember {
    const { world, chance, checks, counts, plan } = this;
    const clock = new SimClock(world, drift ?? this.#drawDrift(), chance.between(0, 1e6));
    return new SimMember(
      {
        id,
        world,
        clock,
        storage: this.#makeStorage(placed ?? NOTHING_KNOWN),
        chance: chance.fork(),
        checks,
        counts,
        settings: plan.member,
        send: (message) => this.#send(message),
        trace: (text) => this.note(text),
        beforeElection: () => {
          for (const member of this.members) member.noteLease();
        },
        onStanding: (member, { role }) => {
          if (role === 'leader') this.#elected(member);
        },
        onMembership: (member) => this.operator.introduced(member),
        sourceFor: (to, leader) => this.#sourceFor(to, leader),
      },
      placed === undefined,
    );
  }

  #elected(member: SimMember): void {
    this.faults.elected(member);
    // It may not know yet what was committed before it.
    this.world.after(0, () => this.clients.greet(member));
    this.operator.introduced(member);
  }

  #makeStorage(placed: PlacedMembership): MemberStorage {
    const settings = { latencyMsMean: this.plan.diskMsMean, tag: TENURE_TAG };
    const Storage = this.plan.storage === 'fast' ? FastStorage : JournalStorage;
    return new Storage(this.world, this.chance.fork(), settings, placed);
  }

  #drawDrift(): number {
    switch (this.plan.drift) {
      case 'none':
        return 0;
      case 'even':
        return this.chance.between(-DRIFT_MAX, DRIFT_MAX);
      case 'ends':
        return this.chance.pick([-DRIFT_MAX, DRIFT_MAX]);
    }
  }

  /** Files travel on connections of their own, which a cut breaks as well. */
  #sourceFor(id: string, leader: string): SimProcess | undefined {
    const isCut = this.network.isCut(leader, id) || this.network.isCut(id, leader);
    const { process } = this.member(leader);
    return isCut || process?.isPaused === true ? undefined : process;
  }
}

function firstMembership(ids: readonly string[], witness: string | undefined): Membership {
  const details = ids.map((id): [string, MemberDetail] => [
    id,
    { incarnation: incarnationOf(id, 1), info: '' },
  ]);
  const copySet = witness === undefined ? [] : ids.filter((id) => id !== witness);
  return membershipOf({
    voters: ids,
    witness: witness ?? NO_NODE,
    copySet,
    details: Object.fromEntries(details),
  });
}

const QUIET_NETWORK: NetworkSettings = {
  delayMsMin: 2,
  delayMsMean: 5,
  lossRate: 0,
  replayRate: 0,
  clogRate: 0,
  clogMsMean: LEASE_MS,
  late: { type: 'append', rate: 0, ms: 0 },
};

function quietPlan(seed: number, fixed: FixedParts): Plan {
  const { electionTicks = 40, saveEvery = 0, hasWitness = false, ids = ['a', 'b', 'c'] } = fixed;
  const ticksPerLease = 40;
  return {
    seed,
    tickMs: LEASE_MS / ticksPerLease,
    ids,
    spares: [],
    hasWitness,
    storage: 'fast',
    diskMsMean: 2,
    faults: [],
    strikeMsMean: LEASE_MS,
    drift: 'even',
    network: QUIET_NETWORK,
    member: memberSettings({
      ticksPerLease,
      heartbeatTicks: 4,
      electionTicks,
      appendBytesMax: 256,
      inflightMessagesMax: 8,
      saveEvery,
      lateTickRate: 0.01,
    }),
    clientMsMean: LEASE_MS / 20,
    burstRate: 0,
  };
}

/** Runs one seed to its end; a violation is part of the result. */
export function simulate(options: RunOptions): SimulationResult {
  const plan = drawPlan(options);
  const simulation = new Simulation(plan, options.isTraced);
  try {
    simulation.start();
    simulation.clients.begin();
    simulation.faults.begin();
    if (plan.drift !== 'none') simulation.counts.add('fault drift');
    simulation.run(options.ticks * plan.tickMs);
    new Peace(simulation).keep();
    return simulation.result(undefined);
  } catch (error) {
    if (error instanceof Violation) return simulation.result(error);
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return simulation.result(new Violation('no crash', text));
  }
}
