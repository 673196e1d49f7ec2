/**
 * The guardian's memory of the tenure: until when the service may live, and that
 * an end once reached is final (safety rules 3 and 8).
 *
 * Pure: the guardian looks at its clocks and asks. Every look comes before any
 * word of the daemon is taken, so that renewals which waited in a pipe while the
 * machine slept revive nothing.
 */

import type { Deadlines } from './deadlines.ts';

/** The same moment on three clocks, in ms: a pause shows as a jump on one of them at least. */
export interface Moment {
  /** Counts while the machine sleeps. */
  readonly bootMs: number;
  /** Stands while the machine sleeps. */
  readonly monotonicMs: number;
  /** Wall clock; after a pause the host may set it right. */
  readonly wallMs: number;
}

/** What must be done by now: nothing, drop and ask to stop, kill, be gone. */
export type Stage = 'none' | 'hold' | 'fence' | 'kill' | 'dead';

export type ArmResult = 'armed' | 'over' | 'late' | 'stale';

export class TenureLatch {
  readonly #gapMsMax: number;
  #epoch = 0;
  #deadlines: Deadlines | undefined;
  #isOver = false;
  /** The machine slept during this tenure. */
  #hasSlept = false;
  #last: Moment | undefined;

  /** @param gapMsMax two looks further apart than this mean that the machine slept */
  constructor(gapMsMax: number) {
    this.#gapMsMax = gapMsMax;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get deadlines(): Deadlines | undefined {
    return this.#deadlines;
  }

  /** The tenure of `epoch` has ended and can not be renewed. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Takes deadlines for `epoch`; anything but `armed` changes nothing. */
  arm(epoch: number, deadlines: Deadlines, nowMs: number): ArmResult {
    if (epoch < this.#epoch) return 'stale';
    if (epoch === this.#epoch && this.#isOver) return 'over';
    if (nowMs >= deadlines.fenceAtMs) return 'late';
    if (epoch > this.#epoch) {
      this.#isOver = false;
      this.#hasSlept = false;
    }
    const isShorter =
      epoch === this.#epoch &&
      this.#deadlines !== undefined &&
      deadlines.deadByMs < this.#deadlines.deadByMs;
    this.#epoch = epoch;
    // A lease does not shrink by being renewed; an answer that was overtaken changes nothing.
    if (!isShorter) this.#deadlines = deadlines;
    return 'armed';
  }

  /** Looks at the clocks: what must be done by now. */
  look(moment: Moment): Stage {
    const isGap = this.#last !== undefined && gapMs(this.#last, moment) > this.#gapMsMax;
    this.#last = moment;
    if (this.#deadlines === undefined) return 'none';
    const { fenceAtMs, killAtMs, deadByMs } = this.#deadlines;
    if (isGap) this.#hasSlept = true;
    if (isGap || moment.bootMs >= fenceAtMs) this.#isOver = true;
    if (!this.#isOver) return 'hold';
    if (moment.bootMs >= deadByMs) return 'dead';
    // After sleep nobody knows what is left of the lease: there is no time to ask.
    return this.#hasSlept || moment.bootMs >= killAtMs ? 'kill' : 'fence';
  }

  /** The daemon is gone or said so: the tenure ends now. */
  end(): void {
    if (this.#deadlines !== undefined) this.#isOver = true;
  }

  /** Everything of the tenure is gone: there is nothing to end any more. */
  released(): void {
    this.#deadlines = undefined;
  }
}

/** How far apart two moments are on the clock that shows most of it. */
export function gapMs(before: Moment, after: Moment): number {
  return Math.max(
    after.bootMs - before.bootMs,
    after.monotonicMs - before.monotonicMs,
    // Only forward: a clock that is set back says nothing about a pause.
    after.wallMs - before.wallMs,
  );
}
