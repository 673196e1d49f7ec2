/**
 * Derives every timing of a cluster from the length of its lease, and says whether
 * they fit into it.
 *
 * The inequality of a tenure: the lease counts from the moment a round of heartbeats
 * was sent. Before it ends, the next round must be sent and answered, or else the
 * service stopped, killed and gone: so
 * `renew interval + network budget + stop budget + kill + margin` must not exceed
 * what clocks that drift apart leave of the lease.
 */

import { withDrift, withoutDrift } from '../consensus/host/lease.ts';
import { fenceLeadMs } from '../service/tenure/deadlines.ts';
import type { Timings } from './config.ts';

/** Ticks of the core in a lease; an election timeout is as long, so that nobody stands in vain. */
export const TICKS_PER_LEASE = 40;
export const HEARTBEAT_TICKS = 4;
/** Up to so many ticks are added to an election timeout by chance. */
export const ELECTION_JITTER_TICKS: number = TICKS_PER_LEASE / 2;
/** A candidate asks again after so many ticks. */
export const REPEAT_REQUEST_TICKS = 4;

/** Pre-vote, vote, the commit of the term's first entry, the commit of the tenure record. */
const ELECTION_QUESTIONS = 4;

const NETWORK_SHARE = 1 / 10;
const ENDING_SHARE = 1 / 20;
const ENDING_MS_MIN = 50;
const ENDING_MS_MAX = 500;

/** Length of the lease in each preset of `timing`, in ms. */
export const PRESETS: Readonly<Record<'fast' | 'default' | 'patient', number>> = {
  fast: 1000,
  default: 6000,
  patient: 20_000,
};

/** What the configuration sets; the rest follows from the lease. All in ms. */
export interface TimingSettings {
  readonly leaseMs: number;
  readonly stopBudgetMs: number;
  /** As long as a question and its answer may take. */
  readonly networkBudgetMs?: number | undefined;
  readonly killMs?: number | undefined;
  readonly marginMs?: number | undefined;
}

export interface TimingTerm {
  readonly name: string;
  readonly ms: number;
}

/** Both sides of the inequality. */
export interface TimingSum {
  readonly terms: readonly TimingTerm[];
  readonly sumMs: number;
  /** The lease, less the drift of two clocks. */
  readonly limitMs: number;
}

export function deriveTimings(settings: TimingSettings): Timings {
  const { leaseMs, stopBudgetMs } = settings;
  const shareMs = Math.round(leaseMs * ENDING_SHARE);
  const endingMs = Math.min(ENDING_MS_MAX, Math.max(ENDING_MS_MIN, shareMs));
  const timings = {
    leaseMs,
    ticksPerLease: TICKS_PER_LEASE,
    heartbeatTicks: HEARTBEAT_TICKS,
    networkBudgetMs: settings.networkBudgetMs ?? Math.round(leaseMs * NETWORK_SHARE),
    ending: {
      stopBudgetMs,
      killMs: settings.killMs ?? endingMs,
      marginMs: settings.marginMs ?? endingMs,
    },
  };
  return {
    ...timings,
    blipToleranceMs: blipToleranceMs(timings),
    worstCaseTakeoverMs: worstCaseTakeoverMs(timings),
  };
}

type Basic = Omit<Timings, 'blipToleranceMs' | 'worstCaseTakeoverMs'>;

/** How often the tenure is renewed. */
export function renewIntervalMs({ leaseMs, ticksPerLease, heartbeatTicks }: Basic): number {
  return (leaseMs * heartbeatTicks) / ticksPerLease;
}

/** The terms of the inequality, for the check and for people. */
export function timingSum(timings: Basic): TimingSum {
  const { stopBudgetMs, killMs, marginMs } = timings.ending;
  const terms = [
    { name: 'renew interval', ms: renewIntervalMs(timings) },
    { name: 'network budget', ms: timings.networkBudgetMs },
    { name: 'stop budget', ms: stopBudgetMs },
    { name: 'kill', ms: killMs },
    { name: 'margin', ms: marginMs },
  ];
  const sumMs = terms.reduce((sum, { ms }) => sum + ms, 0);
  return { terms, sumMs, limitMs: withoutDrift(timings.leaseMs) };
}

/**
 * Silence that surely costs nobody his place. A round may be sent just before it and
 * its answer be lost, so that the lease counts from the round before; and after it the
 * next round has to be sent and answered until the tenure begins to end. So from the
 * lease without drift go the ending, and on each side of the silence a renew interval
 * and a network budget.
 */
function blipToleranceMs(timings: Basic): number {
  const roundMs = renewIntervalMs(timings) + timings.networkBudgetMs;
  const leftMs = withoutDrift(timings.leaseMs) - fenceLeadMs(timings.ending) - 2 * roundMs;
  return Math.max(0, Math.floor(leftMs));
}

/**
 * From the loss of a primary until its successor, which has applied everything, is
 * told to start the service: the last heartbeat is still under way (a network budget);
 * the voters keep silent for a lease and stand up to a jitter later, on clocks that may
 * be slow; one who still kept its promise is asked again (a repeat); and the election
 * asks each question once (a network budget each). A split vote, which the jitter makes
 * rare, adds another election timeout; the service's own start comes on top.
 */
function worstCaseTakeoverMs(timings: Basic): number {
  const { leaseMs, ticksPerLease, networkBudgetMs } = timings;
  const electionTicks = ticksPerLease + ELECTION_JITTER_TICKS + REPEAT_REQUEST_TICKS;
  const waitMs = withDrift((leaseMs * electionTicks) / ticksPerLease);
  return Math.ceil(networkBudgetMs + waitMs + ELECTION_QUESTIONS * networkBudgetMs);
}
