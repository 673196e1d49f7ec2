/**
 * What a seed decides before anything happens: how many members there are, how long things
 * take, and which kinds of faults the run suffers from (swarm testing: a run with few
 * kinds goes deeper than one with all of them).
 *
 * A failing run is shrunk by taking members, ticks and kinds away; all else stays drawn.
 */

import { CONDITIONS, FAULT_KINDS, type FaultKind, STRIKES } from './faults/kinds.ts';
import type { MemberSettings } from './member.ts';
import { LATE_TYPES, type NetworkSettings } from './network.ts';
import { Chance } from './random.ts';

export const LEASE_MS = 1000;

export type StorageKind = 'fast' | 'journal';

/** What is asked of a run; what is not given is drawn. */
export interface RunOptions {
  readonly seed: number;
  /** Ticks of simulated time under faults. */
  readonly ticks: number;
  /** At most so many members at first. */
  readonly membersMax?: number;
  /** Of the kinds that are drawn, only these. */
  readonly faults?: readonly FaultKind[];
  readonly storage?: StorageKind;
  /** Note what happens, in words. */
  readonly isTraced?: boolean;
}

export interface Plan {
  readonly seed: number;
  readonly tickMs: number;
  /** Names of the members of the first configuration. */
  readonly ids: readonly string[];
  /** Machines that belong to nobody at first. */
  readonly spares: readonly string[];
  readonly hasWitness: boolean;
  readonly storage: StorageKind;
  readonly diskMsMean: number;
  readonly faults: readonly FaultKind[];
  /** Between two strikes. */
  readonly strikeMsMean: number;
  /** Clocks run at the ends of their range, or anywhere in it. */
  readonly drift: 'none' | 'even' | 'ends';
  readonly network: NetworkSettings;
  readonly member: MemberSettings;
  /** Between two proposals, or bursts of them. */
  readonly clientMsMean: number;
  /** Share of turns in which many values are proposed at once. */
  readonly burstRate: number;
}

const NAMES = 'abcdefghijk';

export function drawPlan(options: RunOptions): Plan {
  const chance = new Chance(options.seed);
  const drawn = chance.happens(0.6) ? 3 : chance.happens(0.8) ? 5 : 7;
  const count = Math.min(drawn, options.membersMax ?? drawn);
  const share = chance.between(0.1, 0.8);
  const all = [...CONDITIONS, ...STRIKES].filter(() => chance.happens(share));
  const kinds = all.length > 0 ? all : FAULT_KINDS;
  const { faults: wanted } = options;
  const faults = wanted === undefined ? kinds : kinds.filter((kind) => wanted.includes(kind));
  const has = (kind: FaultKind): boolean => faults.includes(kind);
  const spares = chance.below(3);
  const storage = chance.happens(0.15) ? 'journal' : 'fast';
  const hasWitness = chance.happens(0.2);
  return {
    seed: options.seed,
    ids: [...NAMES.slice(0, count)],
    spares: has('changeMembers') ? [...NAMES.slice(count, count + spares)] : [],
    hasWitness,
    storage: options.storage ?? storage,
    diskMsMean: chance.acrossScales(0.2, 40),
    faults,
    strikeMsMean: chance.acrossScales(0.8, 15) * LEASE_MS,
    drift: driftOf(chance.below(2), has('drift')),
    network: withLateHandOvers(drawNetwork(chance, has), has, new Chance(options.seed * 7 + 3)),
    ...drawPace(chance, has),
    clientMsMean: chance.acrossScales(300, 3000),
    burstRate: chance.happens(0.3) ? 0.1 : 0,
  };
}

function driftOf(drawn: number, isAny: boolean): Plan['drift'] {
  if (!isAny) return 'none';
  return drawn === 0 ? 'even' : 'ends';
}

function drawNetwork(chance: Chance, has: (kind: FaultKind) => boolean): NetworkSettings {
  const drawn = {
    delayMsMin: chance.between(0, 20),
    delayMsMean: chance.acrossScales(0.3, 80),
    lossRate: chance.between(0, 0.25),
    replayRate: chance.between(0, 0.2),
    clogRate: chance.between(0, 0.03),
    clogMsMean: chance.between(0.3, 3) * LEASE_MS,
    late: {
      type: chance.pick(LATE_TYPES),
      // Where all of them are late, nothing that comes in time hides it.
      rate: chance.happens(0.35) ? 1 : chance.between(0.05, 0.7),
      ms: chance.between(0.1, 4) * LEASE_MS,
    },
  };
  return {
    ...drawn,
    lossRate: has('loss') ? drawn.lossRate : 0,
    replayRate: has('replay') ? drawn.replayRate : 0,
    clogRate: has('slowMessages') ? drawn.clogRate : 0,
    late: { ...drawn.late, rate: has('lateMessages') ? drawn.late.rate : 0 },
  };
}

/** Half of those that move the lead and have late messages: the word to take over is late. */
function withLateHandOvers(
  network: NetworkSettings,
  has: (kind: FaultKind) => boolean,
  chance: Chance,
): NetworkSettings {
  const { late } = network;
  if (late.rate === 0 || !has('switchover') || chance.happens(0.5)) return network;
  const ms = chance.between(0.5, 4) * LEASE_MS;
  return { ...network, late: { type: 'timeoutNow', rate: 1, ms } };
}

/** How long a tick is, and what is counted in ticks. */
function drawPace(
  chance: Chance,
  has: (kind: FaultKind) => boolean,
): Pick<Plan, 'tickMs' | 'member'> {
  const ticksPerLease = chance.pick([24, 40, 60, 80]);
  const electionTicks = Math.round(ticksPerLease * chance.pick([0.4, 0.6, 1]));
  const saveEvery = chance.pick([5, 30, 200]);
  const lateTickRate = chance.acrossScales(0.005, 0.1);
  // One entry a message, or many: what a leader's own first entry comes with.
  const appendBytesMax = chance.pick([1, 64, 256, 256, 4096]);
  const inflightMessagesMax = chance.pick([1, 2, 8, 8]);
  return {
    tickMs: LEASE_MS / ticksPerLease,
    member: memberSettings({
      ticksPerLease,
      heartbeatTicks: Math.round(ticksPerLease / 6),
      electionTicks,
      appendBytesMax,
      inflightMessagesMax,
      saveEvery: has('compaction') ? saveEvery : 0,
      lateTickRate: has('lateTicks') ? lateTickRate : 0,
    }),
  };
}

export function memberSettings(parts: {
  readonly ticksPerLease: number;
  readonly heartbeatTicks: number;
  readonly electionTicks: number;
  readonly appendBytesMax: number;
  readonly inflightMessagesMax: number;
  readonly saveEvery: number;
  readonly lateTickRate: number;
}): MemberSettings {
  const { ticksPerLease, heartbeatTicks, electionTicks, saveEvery, lateTickRate } = parts;
  const { appendBytesMax, inflightMessagesMax } = parts;
  return {
    leaseMs: LEASE_MS,
    ticksPerLease,
    saveEvery,
    lateTickRate,
    core: {
      electionTicks,
      electionJitterTicks: Math.max(4, electionTicks / 2),
      heartbeatTicks,
      repeatRequestTicks: heartbeatTicks,
      repeatStateTicks: ticksPerLease,
      preVote: true,
      checkQuorum: true,
      appendBytesMax,
      inflightMessagesMax,
      inflightBytesMax: 4096,
      uncommittedBytesMax: 16_384,
      applyingBytesMax: 4096,
    },
  };
}
