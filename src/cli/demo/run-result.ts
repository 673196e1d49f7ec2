/** What a scripted run ends with. */

import type { KillFigures, Verdict } from './verdict.ts';
import type { ServiceSpan } from './verdict-coverage.ts';

/** Something that was done to the cluster, and what clients noticed of it. */
export interface RunEvent {
  readonly what: string;
  /** Since the run began. */
  readonly atMs: number;
  /** The longest silence that SMTP clients met on account of it. */
  readonly outageMs: number | undefined;
  /** Only of a kill. */
  readonly figures: KillFigures | undefined;
}

export interface Percentiles {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface MailFigures {
  readonly bytes: number;
  readonly largestBytes: number;
  /** Sent at least in part and not answered 250. */
  readonly unknown: number;
}

export interface JudgedRun {
  readonly kind: 'judged';
  readonly tookMs: number;
  readonly verdict: Verdict;
  /** What went wrong beside the promises; any of it fails the run. */
  readonly complaints: readonly string[];
  readonly events: readonly RunEvent[];
  /** Who ran the service when, since the run began, as the kernel showed it. */
  readonly served: readonly ServiceSpan[];
  readonly mail: MailFigures;
  readonly lag: Percentiles | undefined;
  readonly barriers: Percentiles | undefined;
  readonly failedBarriers: number;
}

export interface UnfinishedRun {
  readonly kind: 'unfinished';
  readonly reason: string;
  /** Where each node stood, and the end of what its daemon wrote. */
  readonly standings: readonly string[];
  readonly logTails: readonly { readonly id: string; readonly lines: readonly string[] }[];
}

export type RunResult = JudgedRun | UnfinishedRun;

/** Whether everything that was promised held. */
export function isGood(result: RunResult): boolean {
  if (result.kind === 'unfinished') return false;
  return result.verdict.broken.length === 0 && result.complaints.length === 0;
}
