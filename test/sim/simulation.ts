/**
 * One simulated cluster from one seed: faults while clients propose, then peace,
 * in which it must come to rest with one primary and equal logs.
 */

import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import { type Membership, NO_NODE } from '../../src/consensus/core/types.ts';
import type { PeerMessage } from '../../src/consensus/host/ports.ts';
import { Checks, Violation } from './checks.ts';
import { SimClock } from './clock.ts';
import { SimDisk } from './disk.ts';
import { Faults } from './faults.ts';
import { SimMember } from './member.ts';
import { LATE_TYPES, SimNetwork } from './network.ts';
import { Chance } from './random.ts';
import { World } from './world.ts';

export const LEASE_MS = 1000;
const TICK_MS = 12.5;
/** Peace must bring a primary and equal logs within so long. */
const REST_MS = 60_000;
const TRACE_MAX = 400;
/** Between two proposals. */
const CLIENT_MS_MEAN = 150;

export interface SimulationOptions {
  readonly seed: number;
  /** Ticks of simulated time under faults. */
  readonly ticks: number;
}

/** What a written schedule decides instead of chance. */
export interface FixedParts {
  /** Three members without clients, on a network that loses nothing. */
  readonly isQuiet?: boolean;
  readonly electionTicks?: number;
  /** The last member is a witness. */
  readonly hasWitness?: boolean;
  /** Drift of each member's clock. */
  readonly drifts?: readonly number[];
}

export interface SimulationResult {
  readonly seed: number;
  readonly violation: Violation | undefined;
  readonly trace: readonly string[];
  /** How often each kind of thing happened. */
  readonly counts: Readonly<Record<string, number>>;
  readonly committed: number;
  /** Of everything that happened, for comparing two runs to the bit. */
  readonly fingerprint: string;
}

export class Simulation {
  readonly seed: number;
  readonly world = new World();
  readonly chance: Chance;
  readonly members: readonly SimMember[];
  readonly disks = new Map<string, SimDisk>();
  readonly network: SimNetwork;
  readonly checks: Checks;
  readonly counts: Record<string, number> = {};
  /** The member that keeps no data, if there is one. */
  readonly witness: string | undefined;
  readonly #trace: string[] = [];
  /** Which process of its receiver a message was sent to. */
  readonly #sentTo = new WeakMap<PeerMessage, number>();
  #fingerprint = 0;
  #proposals = 0;
  readonly #electionTicks: number;
  readonly #isQuiet: boolean;

  constructor(seed: number, fixed: FixedParts = {}) {
    this.seed = seed;
    this.chance = new Chance(seed);
    const { chance, world } = this;
    const isThree = chance.happens(0.7) || fixed.isQuiet === true;
    const ids = isThree ? ['a', 'b', 'c'] : ['a', 'b', 'c', 'd', 'e'];
    const diskSettings = { latencyMsMean: chance.between(0.2, 8) };
    for (const id of ids) this.disks.set(id, new SimDisk(world, chance.fork(), diskSettings));
    const networkSettings = {
      delayMsMin: chance.between(0, 3),
      delayMsMean: chance.between(0.2, 15),
      lossRate: chance.happens(0.5) ? chance.between(0, 0.15) : 0,
      clogRate: chance.happens(0.4) ? chance.between(0, 0.02) : 0,
      replayRate: chance.happens(0.5) ? chance.between(0, 0.1) : 0,
      late: {
        type: chance.pick(LATE_TYPES),
        rate: chance.happens(0.6) ? chance.between(0, 0.6) : 0,
        ms: chance.between(0.1, 4) * LEASE_MS,
      },
    };
    this.#electionTicks = fixed.electionTicks ?? chance.pick([16, 24, 40, 80]);
    const deliver = (message: PeerMessage) => this.#deliver(message);
    this.network = new SimNetwork(world, chance.fork(), networkSettings, deliver);
    this.#isQuiet = fixed.isQuiet === true;
    this.network.isReliable = this.#isQuiet;
    const hasWitness = fixed.hasWitness ?? (!this.#isQuiet && chance.happens(0.25));
    this.witness = hasWitness ? ids.at(-1) : undefined;
    const { witness } = this;
    const copySet = witness === undefined ? [] : ids.filter((id) => id !== witness);
    const membership = membershipOf({ voters: ids, witness: witness ?? NO_NODE, copySet });
    this.checks = new Checks(this.disks, witness);
    this.members = ids.map((id, at) => this.#makeMember(id, membership, fixed.drifts?.[at]));
  }

  /** The member that serves, if any. */
  get primary(): SimMember | undefined {
    return this.members.find((member) => member.isServing && !member.isPaused);
  }

  get trace(): readonly string[] {
    return this.#trace;
  }

  get fingerprint(): string {
    return (this.#fingerprint >>> 0).toString(16).padStart(8, '0');
  }

  note(text: string): void {
    const line = `${this.world.nowMs.toFixed(2).padStart(12)} ${text}`;
    if (this.#trace.length >= TRACE_MAX) this.#trace.shift();
    this.#trace.push(line);
    for (let at = 0; at < line.length; at += 1) {
      this.#fingerprint = (Math.imul(this.#fingerprint, 31) + line.charCodeAt(at)) | 0;
    }
  }

  count(kind: string): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
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

  start(): void {
    for (const member of this.members) member.start();
    if (!this.#isQuiet) this.#client();
  }

  /** Ends all faults and demands what a healthy cluster owes. */
  rest(): void {
    this.note('peace');
    this.network.healAll();
    this.network.isReliable = true;
    for (const disk of this.disks.values()) disk.relieve();
    for (const member of this.members) {
      member.isPunctual = true;
      member.resume();
      if (!member.isUp) member.start();
    }
    // What was struck before may still fall; then nothing may change any more.
    this.run(10 * LEASE_MS);
    this.until(() => this.primary !== undefined, REST_MS, 'no primary in time of peace');
    const proposed = this.#proposals;
    const isLevel = () => {
      const [first, ...others] = this.members.map((member) => member.appliedIndex);
      return this.#proposals > proposed + 5 && others.every((index) => index === first);
    };
    this.until(isLevel, REST_MS, 'the logs do not become equal in time of peace');
    const { primary } = this;
    const term = primary?.host?.standing.term;
    this.run(10_000);
    const isStable = this.primary === primary && primary?.host?.standing.term === term;
    if (!isStable) throw new Violation('liveness', 'the primary changes in time of peace');
  }

  result(violation: Violation | undefined): SimulationResult {
    const { seed, trace, counts, fingerprint } = this;
    return { seed, violation, trace, counts, fingerprint, committed: this.checks.commitMax };
  }

  /** Who is elected may serve at once: no lease of another may hold any more. */
  #checkLeases(elected: string, term: number): void {
    for (const member of this.members) {
      // One that learns late that it was elected in a past term gets no lease in it.
      const isPast = (member.host?.standing.term ?? 0) > term;
      if (member.id !== elected && !isPast && member.leaseUntilMs > this.world.nowMs) {
        throw new Violation('lease over when elected', `${member.id} when ${elected} was elected`);
      }
    }
  }

  /** A connection ends with its process; only who is muted needs that. */
  #deliver(message: PeerMessage): void {
    const { to } = message.message;
    const member = this.member(to);
    const isMuted = this.disks.get(to)?.durable.isMuted === true;
    if (!isMuted || this.#sentTo.get(message) === member.life) member.receive(message);
  }

  #client(): void {
    this.world.after(this.chance.around(CLIENT_MS_MEAN), () => {
      const member = this.chance.pick(this.members);
      const leader = this.members.find(({ host }) => host?.standing.role === 'leader');
      const target = leader !== undefined && this.chance.happens(0.9) ? leader : member;
      if (target.propose(`value ${this.#proposals}`)) this.#proposals += 1;
      if (this.chance.happens(0.05)) this.#read(target);
      this.#client();
    });
  }

  /** What was committed when a read was asked for is what it must show. */
  #read(member: SimMember): void {
    const { checks } = this;
    const known = checks.commitMax;
    member.readIndex((index) => {
      if (index === undefined) return;
      this.count('read');
      checks.read(member.id, index, known);
    });
  }

  member(id: string): SimMember {
    return this.members.find((member) => member.id === id) as SimMember;
  }

  #makeMember(id: string, membership: Membership, drift?: number): SimMember {
    const { world, chance, checks } = this;
    const clock = new SimClock(world, drift ?? chance.between(-0.02, 0.02), chance.between(0, 1e6));
    return new SimMember({
      id,
      membership,
      world,
      clock,
      disk: this.disks.get(id) as SimDisk,
      chance: chance.fork(),
      checks,
      leaseMs: LEASE_MS,
      electionTicks: this.#electionTicks,
      send: (message) => {
        this.count(`message ${message.message.type}`);
        this.#sentTo.set(message, this.member(message.message.to).life);
        this.network.send(message);
      },
      trace: (text) => this.note(text),
      onStanding: (standing) => {
        this.count(`role ${standing.role}`);
        if (standing.role !== 'leader') return;
        this.#checkLeases(id, standing.term);
        // It may not know yet what was committed before it.
        this.world.after(0, () => this.#read(this.member(id)));
      },
    });
  }
}

/** Runs one seed to its end; a violation is part of the result. */
export function simulate({ seed, ticks }: SimulationOptions): SimulationResult {
  const simulation = new Simulation(seed);
  try {
    simulation.start();
    const faults = new Faults(simulation);
    faults.begin();
    simulation.run(ticks * TICK_MS);
    faults.end();
    simulation.rest();
    return simulation.result(undefined);
  } catch (error) {
    if (error instanceof Violation) return simulation.result(error);
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return simulation.result(new Violation('no crash', text));
  }
}
