/**
 * The leader's side of the lease (safety rules 1, 2 and 4).
 *
 * A voter that answers a heartbeat promises not to help elect another leader for
 * so many milliseconds of its own clock. The leader counts from the moment it
 * *sent* the round that was answered, and takes off twice the drift that two
 * clocks may have: so the lease ends before the first voter of any quorum is free.
 *
 * All times are of one monotonic clock, in milliseconds.
 */

import { quorumReached } from '../core/quorum/joint.ts';
import type { Membership, NodeId } from '../core/types.ts';

/** How much faster or slower than true time a clock may run: 2 %. */
export const DRIFT_RATIO = 0.02;

/** What is left of a promise when both clocks drift apart as far as they may. */
export function withoutDrift(promiseMs: number): number {
  return promiseMs * (1 - 2 * DRIFT_RATIO);
}

/** What covers a promise even on the slowest clock. */
export function withDrift(promiseMs: number): number {
  return promiseMs * (1 + 2 * DRIFT_RATIO);
}

/** Rounds whose send time is remembered; an older answer counts for nothing. */
const ROUNDS_MAX = 256;

export class Lease {
  /** The furthest end that anybody was told of in this leadership. */
  #toldMs = 0;
  readonly #self: NodeId;
  readonly #sentAtMs = new Map<number, number>();
  /** Until when each voter's last counted promise surely holds. */
  readonly #heldUntilMs = new Map<NodeId, number>();
  readonly #heldBy = (id: NodeId): number =>
    id === this.#self ? Number.POSITIVE_INFINITY : (this.#heldUntilMs.get(id) ?? 0);

  constructor(self: NodeId) {
    this.#self = self;
  }

  /** Begins a leadership: nothing that was answered before counts. */
  reset(): void {
    this.#sentAtMs.clear();
    this.#heldUntilMs.clear();
    this.#toldMs = 0;
  }

  /** Notes when a round left; call it before its first message is sent. */
  roundSent(round: number, atMs: number): void {
    if (this.#sentAtMs.has(round)) return;
    this.#sentAtMs.set(round, atMs);
    const oldest = this.#sentAtMs.keys().next().value;
    if (this.#sentAtMs.size > ROUNDS_MAX && oldest !== undefined) this.#sentAtMs.delete(oldest);
  }

  /** Counts a voter's answer to `round`, in which it keeps a promise of `promiseMs`. */
  answered(voter: NodeId, round: number, promiseMs: number): void {
    const sentAtMs = this.#sentAtMs.get(round);
    if (sentAtMs === undefined) return;
    const untilMs = sentAtMs + withoutDrift(promiseMs);
    if (untilMs > this.#heldBy(voter)) this.#heldUntilMs.set(voter, untilMs);
  }

  /** When the latest of the answered rounds was sent by which a quorum still stood; for status. */
  answeredUntilMs(voter: NodeId): number | undefined {
    return this.#heldUntilMs.get(voter);
  }

  /**
   * The furthest end that the voters in `membership`, or those before them, stand for: who
   * promised before the last change of the voters still keeps it, and has a voter in common
   * with every quorum of now.
   *
   * @param mostMs no end lies beyond it
   */
  tell(membership: Membership, mostMs: number): number {
    this.#toldMs = Math.max(this.#toldMs, Math.min(this.endMs(membership), mostMs));
    return this.#toldMs;
  }

  /**
   * Whether what was told is over, or rests on promises of the voters in `membership` too.
   * Only then may they change again: a quorum of the voters after next need not have a
   * single one in common with who promised.
   */
  covers(membership: Membership, nowMs: number): boolean {
    return this.#toldMs <= Math.max(nowMs, this.endMs(membership));
  }

  /** Until when no other leader can be elected; 0 when no quorum has promised anything. */
  endMs(membership: Membership): number {
    return quorumReached(membership, this.#heldBy);
  }
}
