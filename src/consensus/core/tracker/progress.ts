/**
 * What a leader knows of one member's log, and how fast it may send to it.
 *
 * ```
 *            first match, or probe answered
 *   probe ───────────────────────────────▶ replicate
 *     ▲ ▲        rejected, unreachable          │
 *     │ └───────────────────────────────────────┘
 *     │ state taken, failed, or log reached again
 *   snapshot ◀── log compacted beyond `next` ── (either)
 * ```
 *
 * In `probe` one message is out at a time and `next` is a guess; in `replicate`
 * messages are pipelined within a window and `next` runs ahead of the answers;
 * in `snapshot` nothing is sent until the member holds the state.
 */

import { assert } from '../../../errors.ts';
import type { LogIndex } from '../types.ts';
import { Inflights } from './inflights.ts';

export type ProgressState = 'probe' | 'replicate' | 'snapshot';

export interface ProgressLimits {
  readonly inflightMessagesMax: number;
  readonly inflightBytesMax: number;
}

export class Progress {
  /** Highest entry known to be durable at the member. Invariant: `0 <= match < next`. */
  match: LogIndex;
  /** First entry to send next. */
  next: LogIndex;
  state: ProgressState = 'probe';
  /** Index of the state that the member was told to fetch, in `snapshot`. */
  pendingSnapshot: LogIndex = 0;
  /** Ticks since it was told to fetch a state. */
  stateTicks = 0;
  /** Heard of since the last quorum check. */
  recentActive = false;
  /** Nothing is sent until an answer or a heartbeat's answer comes. */
  paused = false;
  readonly inflights: Inflights;
  /** Highest commit index sent so far, so that a late one is worth a message. */
  #sentCommit: LogIndex = 0;

  constructor(match: LogIndex, next: LogIndex, limits: ProgressLimits) {
    this.match = match;
    this.next = next;
    this.inflights = new Inflights(limits.inflightMessagesMax, limits.inflightBytesMax);
  }

  get isPaused(): boolean {
    return this.state === 'snapshot' || this.paused;
  }

  becomeProbe(): void {
    const pending = this.state === 'snapshot' ? this.pendingSnapshot : 0;
    this.#enter('probe');
    this.next = Math.max(this.match, pending) + 1;
    this.#sentCommit = Math.min(this.#sentCommit, this.next - 1);
  }

  becomeReplicate(): void {
    this.#enter('replicate');
    this.next = this.match + 1;
  }

  becomeSnapshot(index: LogIndex): void {
    this.#enter('snapshot');
    this.pendingSnapshot = index;
    this.stateTicks = 0;
    this.next = index + 1;
    this.#sentCommit = index;
  }

  /** Notes that `count` entries of `bytes` in all were handed to the network. */
  sentEntries(count: number, bytes: number): void {
    assert(this.state !== 'snapshot', 'entries were sent to a member that fetches the state');
    if (this.state === 'probe') {
      if (count > 0) this.paused = true;
      return;
    }
    if (count > 0) {
      this.next += count;
      this.inflights.add(this.next - 1, bytes);
    }
    // A full window still lets the commit index through on the next heartbeat's answer.
    this.paused = this.inflights.isFull;
  }

  /** Whether sending `commit` could move the member's commit index. */
  canBumpCommit(commit: LogIndex): boolean {
    return commit > this.#sentCommit && this.#sentCommit < this.next - 1;
  }

  sentCommit(commit: LogIndex): void {
    this.#sentCommit = commit;
  }

  /** Takes an accepted append up to `index`; false when it told nothing new. */
  maybeUpdate(index: LogIndex): boolean {
    if (index <= this.match) return false;
    this.match = index;
    this.next = Math.max(this.next, index + 1);
    this.paused = false;
    return true;
  }

  /**
   * Takes a rejection of the entry at `rejected`; false when the answer is old.
   *
   * @param hint highest index at which the logs may match
   */
  maybeDecrease(rejected: LogIndex, hint: LogIndex): boolean {
    if (this.state === 'replicate') {
      if (rejected <= this.match) return false;
      this.next = this.match + 1;
    } else {
      if (this.next - 1 !== rejected) return false;
      this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
      this.paused = false;
    }
    this.#sentCommit = Math.min(this.#sentCommit, this.next - 1);
    return true;
  }

  /**
   * The member lost what it had acknowledged beyond `last`; false when it had not.
   * What is committed stays so: it is for the member to help nobody to lead without it.
   */
  lose(last: LogIndex): boolean {
    if (last >= this.match) return false;
    this.match = last;
    if (this.state !== 'snapshot') this.becomeProbe();
    return true;
  }

  #enter(state: ProgressState): void {
    this.state = state;
    this.paused = false;
    this.pendingSnapshot = 0;
    this.inflights.reset();
  }
}
