/**
 * Writes a change of primary into the log's history, once the new one serves, with what
 * it knows: why, and how long each step took.
 */

import type { TenureRecord } from '../consensus/host/tenure-records.ts';
import type { HistoryRecord } from '../replication/command/decree.ts';
import type { Life } from '../service/decide/life.ts';

/** The tenure record before one's own, with the cause that a hand-over names. */
export type EarlierRecord = TenureRecord & { readonly cause?: string };

const PHASE_NAMES: Readonly<Partial<Record<Life['phase'], string>>> = {
  elected: 'catchUp',
  arming: 'arm',
  opening: 'open',
  serving: 'start',
};

export class HistoryRecorder {
  readonly #self: string;
  #phases: { readonly name: string; readonly ms: number }[] = [];
  #phaseSinceMs = 0;
  #leaderSeenAtMs: number;
  #earlier: EarlierRecord | undefined;
  #silenceMs = 0;

  constructor(self: string, nowMs: number) {
    this.#self = self;
    this.#leaderSeenAtMs = nowMs;
  }

  /** Another node leads, as of now. */
  leaderSeen(nowMs: number): void {
    this.#leaderSeenAtMs = nowMs;
  }

  /** The life went from one phase to another; `earlier` is the last record before the own. */
  moved(before: Life, after: Life, nowMs: number, earlier: EarlierRecord | undefined): void {
    if (after.phase === 'elected') {
      this.#silenceMs = Math.max(0, nowMs - this.#leaderSeenAtMs);
      this.#phases = [{ name: 'elect', ms: this.#silenceMs }];
      this.#earlier = earlier;
    } else {
      const name = PHASE_NAMES[before.phase];
      if (name !== undefined) this.#phases.push({ name, ms: nowMs - this.#phaseSinceMs });
    }
    this.#phaseSinceMs = nowMs;
  }

  /** The record of the tenure that serves as of now. */
  record(epoch: number, nowMs: number, wallMs: number): HistoryRecord {
    const phases = [...this.#phases, { name: 'start', ms: nowMs - this.#phaseSinceMs }];
    return {
      epoch,
      ...this.#change(),
      to: this.#self,
      atMs: wallMs,
      phases: phases.map(({ name, ms }) => ({ name, ms: Math.round(ms) })),
    };
  }

  #change(): Pick<HistoryRecord, 'event' | 'from' | 'cause'> {
    const earlier = this.#earlier;
    if (earlier === undefined) return { event: 'start', from: '', cause: 'the first primary' };
    const from = earlier.holder;
    if (earlier.kind === 'handover') {
      const cause = earlier.cause ?? 'handed over';
      const isPlanned = cause === 'switchover' || cause === 'shutdown';
      return { event: isPlanned ? 'switchover' : 'failover', from, cause };
    }
    const silence = `${from} was not heard for ${Math.round(this.#silenceMs)} ms`;
    if (from === this.#self) return { event: 'restart', from, cause: `a new tenure: ${silence}` };
    return { event: 'failover', from, cause: silence };
  }
}
