/**
 * All members as a leader or candidate sees them: progress, votes, activity. Learners are
 * sent the log like all others, and count for nothing (dissertation §4.2.1).
 */

import { type GroupOf, groupsReached } from '../quorum/groups.ts';
import { isVoter, quorumReached, quorumVote, votersOf } from '../quorum/joint.ts';
import type { VoteResult } from '../quorum/majority.ts';
import type { LogIndex, Membership, NodeId } from '../types.ts';
import { Progress, type ProgressLimits } from './progress.ts';

/** What a leader knows of one member. */
export interface MemberProgress {
  readonly id: NodeId;
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly state: 'probe' | 'replicate' | 'snapshot';
  /** Index of the state that it was told to fetch; 0 for none. */
  readonly pendingSnapshot: LogIndex;
  readonly isActive: boolean;
  readonly isPaused: boolean;
  readonly isLearner: boolean;
  /** Append messages on their way, and whether no more may be. */
  readonly inflights: number;
  readonly isWindowFull: boolean;
}

const NOBODY: ReadonlySet<NodeId> = new Set();

export interface TrackerOptions extends ProgressLimits {
  /** Given, only what voters of two groups hold counts as durable on a quorum. */
  readonly groupOf?: GroupOf;
}

export class Tracker {
  readonly #limits: TrackerOptions;
  #membership: Membership;
  #members: readonly NodeId[] = [];
  #progress = new Map<NodeId, Progress>();
  readonly #votes = new Map<NodeId, boolean>();
  readonly matchOf = (id: NodeId): LogIndex => this.#progress.get(id)?.match ?? 0;

  constructor(membership: Membership, limits: TrackerOptions) {
    this.#limits = limits;
    this.#membership = membership;
    this.setMembership(membership, 0);
  }

  get membership(): Membership {
    return this.#membership;
  }

  /** Every member, voters and learners, in a fixed order. */
  get members(): readonly NodeId[] {
    return this.#members;
  }

  get voters(): readonly NodeId[] {
    return votersOf(this.#membership);
  }

  /**
   * Replaces the configuration; progress of members that stay is kept.
   *
   * @param lastIndex the log's end, where a new member is probed first
   * @param anew members that are new although they were members before
   */
  setMembership(
    membership: Membership,
    lastIndex: LogIndex,
    anew: ReadonlySet<NodeId> = NOBODY,
  ): void {
    this.#membership = membership;
    this.#members = [...new Set([...votersOf(membership), ...membership.learners])].sort();
    const kept = new Map<NodeId, Progress>();
    for (const id of this.#members) {
      const known = anew.has(id) ? undefined : this.#progress.get(id);
      kept.set(id, known ?? this.#newcomer(lastIndex));
    }
    this.#progress = kept;
  }

  /** Counts as active, else the quorum check might fail before it could answer at all. */
  #newcomer(lastIndex: LogIndex): Progress {
    const progress = new Progress(0, Math.max(lastIndex, 1), this.#limits);
    progress.recentActive = true;
    return progress;
  }

  progressOf(id: NodeId): Progress | undefined {
    return this.#progress.get(id);
  }

  /** What is known of every member, as values. */
  progress(): readonly MemberProgress[] {
    return [...this.#progress].map(([id, progress]) => {
      const { match, next, state, pendingSnapshot, isPaused, inflights } = progress;
      return {
        id,
        match,
        next,
        state,
        pendingSnapshot,
        isActive: progress.recentActive,
        isPaused,
        isLearner: this.isLearner(id),
        inflights: inflights.count,
        isWindowFull: inflights.isFull,
      };
    });
  }

  isVoter(id: NodeId): boolean {
    return isVoter(this.#membership, id);
  }

  isLearner(id: NodeId): boolean {
    return !this.isVoter(id) && this.#membership.learners.includes(id);
  }

  /** Forgets everything about the members: the log became a state. */
  restore(membership: Membership, self: NodeId, lastIndex: LogIndex): void {
    this.#progress.clear();
    this.setMembership(membership, lastIndex);
    const own = this.#progress.get(self);
    own?.maybeUpdate(own.next - 1);
  }

  /** Starts anew at the head of a term: nothing is known of the others' logs. */
  reset(self: NodeId, lastIndex: LogIndex): void {
    for (const id of this.#members) {
      const match = id === self ? lastIndex : 0;
      this.#progress.set(id, new Progress(match, lastIndex + 1, this.#limits));
    }
  }

  /** The highest index that is durable on a quorum. */
  committed(): LogIndex {
    const { groupOf } = this.#limits;
    if (groupOf !== undefined) return groupsReached(this.#membership, this.matchOf, groupOf);
    return quorumReached(this.#membership, this.matchOf);
  }

  /** Whether a quorum was heard of since the activity was last cleared. */
  isQuorumActive(self: NodeId): boolean {
    const active = new Map<NodeId, boolean>();
    for (const id of this.voters) {
      active.set(id, id === self || this.#progress.get(id)?.recentActive === true);
    }
    return quorumVote(this.#membership, active) === 'won';
  }

  clearActivity(self: NodeId): void {
    for (const [id, progress] of this.#progress) {
      if (id !== self) progress.recentActive = false;
    }
  }

  resetVotes(): void {
    this.#votes.clear();
  }

  /** Notes the first answer of `id`; later ones change nothing. */
  recordVote(id: NodeId, granted: boolean): void {
    if (!this.#votes.has(id)) this.#votes.set(id, granted);
  }

  hasAnswered(id: NodeId): boolean {
    return this.#votes.has(id);
  }

  tallyVotes(): VoteResult {
    return quorumVote(this.#membership, this.#votes);
  }
}
