/**
 * Reads that must not be older than when they were asked (ReadIndex; dissertation §6.4).
 *
 * A leader notes its commit index, and answers once a quorum has acknowledged a round
 * of heartbeats that began after the question: nobody else led then. Before it has
 * committed an entry of its own term its commit index may be older than what was
 * committed before it, so questions wait for that.
 *
 * Rounds are numbered and never used again within a term, so a question that is asked
 * twice can not be answered by what acknowledged the first.
 */

import { quorumReached } from './quorum/joint.ts';
import type { LogIndex, Membership, NodeId } from './types.ts';

/** Who asked; `from` is this member itself or a follower that passed it on. */
export interface ReadQuestion {
  readonly token: string;
  readonly from: NodeId;
}

/** From `index` on the state machine shows everything that was committed when it was asked. */
export interface ReadAnswer extends ReadQuestion {
  readonly index: LogIndex;
}

interface WaitingRead extends ReadAnswer {
  readonly round: number;
}

/** Questions beyond these are refused. */
const READS_MAX = 4096;

export class Reads {
  #postponed: ReadQuestion[] = [];
  #waiting: WaitingRead[] = [];
  readonly #acknowledged = new Map<NodeId, number>();

  reset(): void {
    this.#postponed = [];
    this.#waiting = [];
    this.#acknowledged.clear();
  }

  get isFull(): boolean {
    return this.#postponed.length + this.#waiting.length >= READS_MAX;
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Keeps a question until the leader knows what was committed before it. */
  postpone(question: ReadQuestion): void {
    this.#postponed.push(question);
  }

  /** The questions that were postponed, which are forgotten here. */
  takePostponed(): readonly ReadQuestion[] {
    return this.#postponed.splice(0);
  }

  /** @param round the first round that begins after the question */
  ask(question: ReadQuestion, index: LogIndex, round: number): void {
    this.#waiting.push({ ...question, index, round });
  }

  /** `id` acknowledged `round`. */
  acknowledged(id: NodeId, round: number): void {
    this.#acknowledged.set(id, Math.max(round, this.#acknowledged.get(id) ?? 0));
  }

  /** Takes out what a quorum has confirmed. */
  takeConfirmed(self: NodeId, membership: Membership): readonly ReadAnswer[] {
    const reached = quorumReached(membership, (id) =>
      id === self ? Number.POSITIVE_INFINITY : (this.#acknowledged.get(id) ?? 0),
    );
    const count = this.#waiting.findIndex(({ round }) => round > reached);
    return this.#waiting.splice(0, count < 0 ? this.#waiting.length : count);
  }
}
