/**
 * Raft as a pure, synchronous state machine.
 *
 * It reads no clock, draws no randomness of its own and does no I/O: time comes
 * as `tick()`, the words of others as `step()`, and what is to be done about
 * them leaves as `ready()` (see ready.ts for the host's duties). The same calls
 * in the same order always give the same results.
 *
 * The rules are etcd-io/raft's where the papers leave a choice, so that its
 * transcripts hold here: asynchronous storage, pre-vote, quorum check,
 * configuration taking effect when applied.
 */

import { assert } from '../../errors.ts';
import { appendEntries, type Proposal } from './append.ts';
import { copySetIn } from './copies/decree.ts';
import { hasWitness, isWitness } from './copies/duties.ts';
import { campaign } from './election.ts';
import { beginTransfer, broadcastAppend, broadcastHeartbeat, sendAppend } from './leader.ts';
import { bytesOf, type LogView } from './log/log-view.ts';
import type { Message } from './messages.ts';
import { type CoreOptions, type CoreStart, checkOptions } from './options.ts';
import type { AppendWork, ApplyWork, CoreStatus, Ready } from './ready.ts';
import { becomeFollower } from './roles.ts';
import { RaftState } from './state.ts';
import { step } from './step.ts';
import { tick } from './tick.ts';
import {
  type Entry,
  type HardState,
  type LogIndex,
  type Membership,
  NO_NODE,
  type NodeId,
  type PlacedMembership,
  type SoftState,
} from './types.ts';

export type ProposeResult =
  | { readonly kind: 'accepted'; readonly first: LogIndex; readonly last: LogIndex }
  | { readonly kind: 'dropped'; readonly reason: 'notLeader' | 'transferring' | 'overLimit' };

export type TransferResult =
  | 'begun'
  | 'notLeader'
  | 'notVoter'
  | 'alreadyLeader'
  | 'alreadyTransferring';

/** What a leader knows of one member. */
export interface MemberProgress {
  readonly id: NodeId;
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly state: 'probe' | 'replicate' | 'snapshot';
  readonly isActive: boolean;
}

export class RaftCore {
  readonly #state: RaftState;
  /** Of the entry that the configuration stems from. */
  #membershipIndex: LogIndex;
  #givenHard: HardState;
  #givenSoft: SoftState;

  constructor(options: CoreOptions, start: CoreStart, view: LogView) {
    checkOptions(options);
    this.#state = new RaftState(options, start, view);
    this.#membershipIndex = start.membershipIndex ?? 0;
    // What is applied already is not handed out again.
    this.#adoptCopySets((start.configs ?? []).filter(({ index }) => index <= start.applied));
    // What the storage told is known to it; the role is told anew.
    this.#givenHard = this.#state.hardState;
    becomeFollower(this.#state, this.#state.term, NO_NODE);
    this.#givenSoft = this.#state.softState;
  }

  get status(): CoreStatus {
    const { term, role, leader, log } = this.#state;
    const { committed: commit, applied, firstIndex, lastIndex } = log;
    return { term, role, leader, commit, applied, firstIndex, lastIndex };
  }

  get membership(): Membership {
    return this.#state.tracker.membership;
  }

  /** The term of an entry, undefined when it is not in the log. */
  termAt(index: LogIndex): number | undefined {
    return this.#state.log.termAt(index);
  }

  /** Number of the last heartbeat round that this member began as leader. */
  get round(): number {
    return this.#state.round;
  }

  /** Whether this leader was asked to take the lead, instead of timing out. */
  get ledByTransfer(): boolean {
    return this.#state.role === 'leader' && this.#state.ledByTransfer;
  }

  /** Whether an entry of the leader's own term is committed (Raft §8). */
  get hasCommittedOwnTerm(): boolean {
    const { log, term } = this.#state;
    return log.termAt(log.committed) === term;
  }

  /** Target of a transfer under way. */
  get transferTarget(): NodeId | undefined {
    return this.#state.transfer?.to;
  }

  /** What this member knows of the others; meaningful at a leader. */
  progress(): readonly MemberProgress[] {
    return this.#state.tracker.members.map((id) => {
      const progress = this.#state.tracker.progressOf(id);
      assert(progress !== undefined, 'a member has no progress');
      const { match, next, state, recentActive: isActive } = progress;
      return { id, match, next, state, isActive };
    });
  }

  /** Lets one tick pass; see `tick.ts`. */
  tick(mayCampaign = true): void {
    tick(this.#state, mayCampaign);
  }

  /** Takes a message of another member. */
  step(message: Message): void {
    step(this.#state, message);
  }

  /** Stands for election at once, if this member may. */
  campaign(): void {
    campaign(this.#state);
  }

  /** Appends at the leader; entries get consecutive indexes. */
  propose(proposals: readonly Proposal[]): ProposeResult {
    const state = this.#state;
    assert(proposals.length > 0, 'nothing was proposed');
    if (state.role !== 'leader') return { kind: 'dropped', reason: 'notLeader' };
    if (state.transfer !== undefined) return { kind: 'dropped', reason: 'transferring' };
    const first = state.log.lastIndex + 1;
    if (!appendEntries(state, proposals)) return { kind: 'dropped', reason: 'overLimit' };
    broadcastAppend(state);
    return { kind: 'accepted', first, last: state.log.lastIndex };
  }

  /**
   * Gives the lead to another voter once its log is level (dissertation §3.10).
   *
   * @param handover index of the committed hand-over record it rests on, 0 for none
   */
  transfer(to: NodeId, handover: LogIndex = 0): TransferResult {
    const state = this.#state;
    if (state.role !== 'leader') return 'notLeader';
    if (to === state.id) return 'alreadyLeader';
    if (!state.tracker.isVoter(to) || isWitness(state, to)) return 'notVoter';
    if (state.transfer !== undefined) return 'alreadyTransferring';
    beginTransfer(state, { to, handover });
    return 'begun';
  }

  /**
   * The members that must hold an entry before it commits, as of this member's log; all
   * data voters where nothing was decreed. Empty in a group without a witness.
   */
  get copySet(): readonly NodeId[] {
    const { copies, tracker } = this.#state;
    return hasWitness(this.#state) ? copies.inForce(tracker.membership) : [];
  }

  /** Whether silent members may be left out of the copy set; not by a leader about to stop. */
  setShrinksCopies(isAllowed: boolean): void {
    this.#state.shrinksCopies = isAllowed;
  }

  /** Gives up the lead without a successor in mind; nothing happens elsewhere. */
  resign(): void {
    if (this.#state.role === 'follower') return;
    becomeFollower(this.#state, this.#state.term, NO_NODE);
  }

  /** Starts a heartbeat round ahead of its time; does nothing at others than a leader. */
  beat(): void {
    if (this.#state.role !== 'leader') return;
    this.#state.heartbeatElapsed = 0;
    broadcastHeartbeat(this.#state);
  }

  /** Messages to `id` were lost: what was sent ahead must be sent again. */
  reportUnreachable(id: NodeId): void {
    const progress = this.#state.tracker.progressOf(id);
    if (this.#state.role === 'leader' && progress?.state === 'replicate') progress.becomeProbe();
  }

  /** Entries that the view did not have at hand are there now. */
  entriesLoaded(): void {
    if (this.#state.role !== 'leader') return;
    for (const id of this.#state.tracker.members) {
      if (id !== this.#state.id) sendAppend(this.#state, id, false);
    }
  }

  /** All work of now, which then counts as handed out; undefined when there is none. */
  ready(): Ready | undefined {
    const state = this.#state;
    const soft = this.#softStateChanged() ? state.softState : undefined;
    const append = this.#appendWork();
    const committed = state.log.nextCommitted(false) ?? [];
    const { messages } = state;
    const isIdle = messages.length === 0 && committed.length === 0;
    if (isIdle && append === undefined && soft === undefined) return undefined;

    if (soft !== undefined) this.#givenSoft = soft;
    if (append?.hardState !== undefined) this.#givenHard = append.hardState;
    state.messages = [];
    state.messagesAfterAppend = [];
    state.log.unstable.acceptInProgress();
    state.log.acceptApplying(committed);
    const apply = committed.length > 0 ? { entries: committed } : undefined;
    return { soft, append, apply, messages, membership: this.#adoptCopySets(committed) };
  }

  /**
   * The storage holds `work` durably, and all work before it.
   *
   * @returns what may be sent to the others now
   */
  appended(work: AppendWork): readonly Message[] {
    const state = this.#state;
    // In a later term other entries may stand at the same places: the work of
    // that term will tell, this one proves nothing.
    if (work.last !== undefined && work.term === state.term) {
      state.log.unstable.stableTo(work.last);
    }
    if (work.snapshot !== undefined) this.#snapshotStored(work.snapshot.index);
    for (const message of work.responses) {
      if (message.to === state.id) step(state, message);
    }
    return work.responses.filter((message) => message.to !== state.id);
  }

  /** The state machine has taken in `work`, and all work before it. */
  applied(work: ApplyWork): void {
    const last = work.entries.at(-1);
    if (last === undefined) return;
    const bytes = bytesOf(work.entries);
    this.#state.log.appliedTo(Math.max(last.index, this.#state.log.applied), bytes);
    this.#state.uncommittedBytes = Math.max(0, this.#state.uncommittedBytes - bytes);
  }

  /** Decrees that are committed are part of the configuration. */
  #adoptCopySets(committed: readonly Entry[]): PlacedMembership | undefined {
    const { tracker, copies } = this.#state;
    let placed: PlacedMembership | undefined;
    for (const entry of committed) {
      const { index } = entry;
      const copySet = copySetIn(entry);
      if (copySet === undefined || index <= this.#membershipIndex) continue;
      placed = { index, membership: { ...tracker.membership, copySet } };
      tracker.setMembership(placed.membership);
      copies.committed(index);
    }
    if (placed !== undefined) this.#membershipIndex = placed.index;
    return placed;
  }

  #snapshotStored(index: LogIndex): void {
    const { log } = this.#state;
    log.unstable.snapshotStableTo(index);
    if (index > log.applied) log.appliedTo(index, 0);
  }

  #appendWork(): AppendWork | undefined {
    const { log, messagesAfterAppend: responses, hardState, term } = this.#state;
    const entries = log.unstable.nextEntries;
    const snapshot = log.unstable.nextSnapshot;
    const isChanged = this.#hardStateChanged();
    if (entries.length === 0 && snapshot === undefined && !isChanged && responses.length === 0) {
      return undefined;
    }
    const given = this.#givenHard;
    const isVital = hardState.term !== given.term || hardState.vote !== given.vote;
    return {
      hardState: isChanged ? hardState : undefined,
      entries,
      snapshot,
      mustSync: entries.length > 0 || snapshot !== undefined || isVital,
      responses,
      term,
      last: log.unstable.hasEntries ? log.lastId : undefined,
    };
  }

  #hardStateChanged(): boolean {
    const { term, vote, log } = this.#state;
    const given = this.#givenHard;
    return term !== given.term || vote !== given.vote || log.committed !== given.commit;
  }

  #softStateChanged(): boolean {
    const { leader, role } = this.#state;
    return leader !== this.#givenSoft.leader || role !== this.#givenSoft.role;
  }
}
