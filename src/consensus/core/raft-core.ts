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
import { hasWitness } from './copies/duties.ts';
import { campaign } from './election.ts';
import { forward } from './forwarding.ts';
import { broadcastHeartbeat } from './heartbeat.ts';
import {
  broadcastAppend,
  type TransferResult as LeaderTransferResult,
  requestTransfer,
  sendAppend,
  stateReported,
} from './leader.ts';
import { bytesOf, type LogView } from './log/log-view.ts';
import { type ConfigChange, encodeConfigChange } from './membership/change.ts';
import {
  appendConfig,
  applyConfig,
  type ConfigRefusal,
  configsApplied,
  refusalOf,
  takeEffect,
} from './membership/effect.ts';
import type { Message } from './messages.ts';
import { type CoreOptions, type CoreStart, checkOptions } from './options.ts';
import { askRead } from './read-index.ts';
import type { AppendWork, ApplyWork, CoreStatus, Ready } from './ready.ts';
import { becomeFollower } from './roles.ts';
import { RaftState } from './state.ts';
import { type StepResult, step } from './step.ts';
import { tick } from './tick.ts';
import type { MemberProgress } from './tracker/tracker.ts';
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
  | { readonly kind: 'dropped'; readonly reason: DropReason };

/** `notMember`: the leader itself was removed. `forwarded`: the leader was asked instead. */
export type DropReason =
  | 'notLeader'
  | 'notMember'
  | 'transferring'
  | 'overLimit'
  | 'forwarded'
  | ConfigRefusal;

export type TransferResult = LeaderTransferResult | 'notLeader';

export class RaftCore {
  readonly #state: RaftState;
  #givenHard: HardState;
  #givenSoft: SoftState;
  #givenMembership: Membership;

  constructor(options: CoreOptions, start: CoreStart, view: LogView) {
    checkOptions(options);
    this.#state = new RaftState(options, start, view);
    // What the storage told is known to it; the role is told anew.
    this.#givenHard = this.#state.hardState;
    becomeFollower(this.#state, this.#state.term, NO_NODE);
    this.#givenSoft = this.#state.softState;
    this.#givenMembership = start.membership;
    // What is durably committed is in effect before this member does anything (rule 10).
    if (options.configTakesEffect !== 'whenApplied') takeEffect(this.#state);
  }

  get status(): CoreStatus {
    const { term, role, leader, log } = this.#state;
    const { committed: commit, applied, firstIndex, lastIndex } = log;
    return { term, role, leader, commit, applied, firstIndex, lastIndex };
  }

  get membership(): Membership {
    return this.#state.tracker.membership;
  }

  /** The configuration in effect, and the entry that it stems from. */
  get placedMembership(): PlacedMembership {
    const { tracker, membershipIndex: index } = this.#state;
    return { index, membership: tracker.membership };
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
    return this.#state.tracker.progress();
  }

  /** Lets one tick pass; see `tick.ts`. */
  tick(mayCampaign = true): void {
    tick(this.#state, mayCampaign);
  }

  /** Takes a message of another member. */
  step(message: Message): StepResult {
    return step(this.#state, message);
  }

  /** Stands for election at once, if this member may. */
  campaign(): void {
    campaign(this.#state);
  }

  /** Appends at the leader; entries get consecutive indexes. */
  propose(proposals: readonly Proposal[]): ProposeResult {
    const state = this.#state;
    assert(proposals.length > 0, 'nothing was proposed');
    const reason = this.#reasonNotToPropose(proposals);
    if (reason !== undefined) return { kind: 'dropped', reason };
    const first = state.log.lastIndex + 1;
    if (!appendEntries(state, proposals)) return { kind: 'dropped', reason: 'overLimit' };
    broadcastAppend(state);
    return { kind: 'accepted', first, last: state.log.lastIndex };
  }

  /** Proposes a change of the configuration; one at a time (see membership/effect.ts). */
  proposeConfig(change: ConfigChange): ProposeResult {
    const state = this.#state;
    const proposal: Proposal = { kind: 'config', data: encodeConfigChange(change) };
    const reason = this.#reasonNotToPropose([proposal]) ?? refusalOf(state, change);
    if (reason !== undefined) return { kind: 'dropped', reason };
    const index = state.log.lastIndex + 1;
    if (!appendConfig(state, change)) return { kind: 'dropped', reason: 'overLimit' };
    broadcastAppend(state);
    return { kind: 'accepted', first: index, last: index };
  }

  /** The state machine took in an entry that changes the configuration (`whenApplied`). */
  applyConfig(entry: Entry): Membership {
    applyConfig(this.#state, entry);
    return this.membership;
  }

  /**
   * Asks from which index on a read is not old; the answer comes with `Ready.reads`, or
   * never: when the lead is lost the question is forgotten.
   *
   * @returns false when nobody can be asked
   */
  readIndex(token: string): boolean {
    const state = this.#state;
    if (state.role === 'leader') return askRead(state, { token, from: state.id });
    return forward(state, { type: 'readIndex', from: state.id, to: NO_NODE, term: 0, token });
  }

  /**
   * Gives the lead to another voter once its log is level (dissertation §3.10). One that
   * is not over within an election timeout has failed.
   *
   * @param handover index of the committed hand-over record it rests on, 0 for none
   */
  transfer(to: NodeId, handover: LogIndex = 0): TransferResult {
    const state = this.#state;
    if (state.role === 'leader') return requestTransfer(state, { to, handover });
    forward(state, { type: 'transferLeader', from: to, to: NO_NODE, term: 0 });
    return 'notLeader';
  }

  /** Follows nobody any more, as if no leader had been heard; it may vote at once. */
  forgetLeader(): void {
    const { role, options } = this.#state;
    if (role === 'follower' && options.readOnly !== 'leaseBased') this.#state.leader = NO_NODE;
  }

  /** Draws election timeouts from another part of the range: who has priority stands first. */
  setElectionJitter(from: number, below: number): void {
    assert(from >= 0 && below > from, `an election jitter of ${from} to ${below} ticks`);
    this.#state.electionJitter = { from, below };
  }

  /** Sets the timeout that was drawn, until the next is drawn. */
  setElectionTimeout(ticks: number): void {
    this.#state.electionTimeout = ticks;
  }

  /** The state that `id` was told to fetch is there, or could not be fetched. */
  reportSnapshot(id: NodeId, hasSucceeded: boolean): void {
    if (this.#state.role === 'leader') stateReported(this.#state, id, hasSucceeded);
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
    if (state.options.configTakesEffect !== 'whenApplied') takeEffect(state);
    const soft = this.#softStateChanged() ? state.softState : undefined;
    const append = this.#appendWork();
    const allowUnstable = state.options.appliesUnstable === true;
    const committed = state.log.nextCommitted(allowUnstable) ?? [];
    const { messages, answers: reads } = state;
    const membership = this.#membershipChanged();
    const isIdle = messages.length + committed.length + reads.length === 0;
    const isSame = soft === undefined && membership === undefined;
    if (isIdle && isSame && append === undefined) return undefined;

    if (soft !== undefined) this.#givenSoft = soft;
    if (append?.hardState !== undefined) this.#givenHard = append.hardState;
    state.messages = [];
    state.messagesAfterAppend = [];
    state.answers = [];
    this.#givenMembership = state.tracker.membership;
    state.log.unstable.acceptInProgress();
    state.log.acceptApplying(committed, allowUnstable);
    const apply = committed.length > 0 ? { entries: committed } : undefined;
    return { soft, append, apply, messages, membership, reads };
  }

  /**
   * The storage holds `work` durably, and all work before it.
   *
   * @returns what may be sent to the others now
   */
  appended(work: AppendWork): readonly Message[] {
    for (const message of work.responses) {
      if (message.to === this.#state.id) step(this.#state, message);
    }
    this.stored(work);
    return othersOf(work.responses, this.#state.id);
  }

  /** As `appended`, for a host that hands over the messages to this member itself. */
  stored(work: AppendWork): void {
    const state = this.#state;
    // In a later term other entries may stand at the same places: the work of
    // that term will tell, this one proves nothing.
    if (work.last !== undefined && work.term === state.term) {
      state.log.unstable.stableTo(work.last);
    }
    if (work.snapshot !== undefined) this.#snapshotStored(work.snapshot.index);
  }

  /** The state machine has taken in `work`, and all work before it. */
  applied(work: ApplyWork): void {
    const last = work.entries.at(-1);
    if (last === undefined) return;
    const bytes = bytesOf(work.entries);
    this.#state.log.appliedTo(Math.max(last.index, this.#state.log.applied), work.entries);
    configsApplied(this.#state);
    this.#state.uncommittedBytes = Math.max(0, this.#state.uncommittedBytes - bytes);
  }

  #reasonNotToPropose(proposals: readonly Proposal[]): DropReason | undefined {
    const state = this.#state;
    if (state.role !== 'leader') {
      const message = { type: 'propose', from: state.id, to: NO_NODE, term: 0, proposals } as const;
      return forward(state, message) ? 'forwarded' : 'notLeader';
    }
    if (state.tracker.progressOf(state.id) === undefined) return 'notMember';
    return state.transfer === undefined ? undefined : 'transferring';
  }

  #membershipChanged(): PlacedMembership | undefined {
    const placed = this.placedMembership;
    return placed.membership === this.#givenMembership ? undefined : placed;
  }

  #snapshotStored(index: LogIndex): void {
    const { log } = this.#state;
    log.unstable.snapshotStableTo(index);
    if (index > log.applied) log.appliedTo(index, []);
  }

  #appendWork(): AppendWork | undefined {
    const { log, messagesAfterAppend: responses, term, vote } = this.#state;
    const entries = log.unstable.nextEntries;
    const snapshot = log.unstable.nextSnapshot;
    const isChanged = this.#hardStateChanged();
    if (entries.length === 0 && snapshot === undefined && !isChanged && responses.length === 0) {
      return undefined;
    }
    const given = this.#givenHard;
    const isVital = term !== given.term || vote !== given.vote;
    return {
      hardState: isChanged ? this.#state.hardState : undefined,
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

/** The messages for the others; mostly all are, or all are the leader's to itself. */
function othersOf(messages: readonly Message[], self: NodeId): readonly Message[] {
  const first = messages[0];
  if (first === undefined || (messages.length === 1 && first.to !== self)) return messages;
  return messages.filter(({ to }) => to !== self);
}
