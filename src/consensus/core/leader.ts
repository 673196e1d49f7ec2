/**
 * What a leader does: replicate, count, keep followers, give its place away (Raft §5.3).
 */

import { assert } from '../../errors.ts';
import { copiesReach, hasWitness, isWitness, withoutData, witnessReach } from './copies/duties.ts';
import { bytesOf } from './log/log-view.ts';
import type { AppendResponse, HeartbeatResponse } from './messages.ts';
import { askPostponed, confirmReads } from './read-index.ts';
import type { RaftState, Transfer } from './state.ts';
import type { Progress } from './tracker/progress.ts';
import type { Entry, LogIndex, NodeId, SnapshotMark } from './types.ts';

/** Sends each follower what it lacks, or at least the commit index. */
export function broadcastAppend(state: RaftState): void {
  for (const id of state.tracker.members) {
    if (id !== state.id) sendAppend(state, id, true);
  }
}

/**
 * Sends one append message, if the follower's window allows it.
 *
 * @param evenIfEmpty send the commit index alone when there are no entries
 * @returns whether a message was sent
 */
export function sendAppend(state: RaftState, to: NodeId, evenIfEmpty: boolean): boolean {
  const progress = state.tracker.progressOf(to);
  if (progress === undefined || progress.isPaused) return false;
  const { log } = state;
  const prevIndex = progress.next - 1;
  const prevTerm = log.termAt(prevIndex);
  if (prevTerm === undefined || progress.next < log.firstIndex) {
    return sendSnapshot(state, to, progress);
  }
  const entries = isWitness(state, to)
    ? entriesForWitness(state, progress)
    : entriesFor(state, progress);
  if (entries === undefined) return sendSnapshot(state, to, progress);
  if (entries.length === 0 && !evenIfEmpty) return false;
  state.send({
    type: 'append',
    from: state.id,
    to,
    term: state.term,
    prevIndex,
    prevTerm,
    commit: log.committed,
    entries,
  });
  progress.sentEntries(entries.length, bytesOf(entries));
  progress.sentCommit(log.committed);
  return true;
}

/** Nothing while the window is full, or while the storage fetches what is needed. */
function entriesFor(state: RaftState, progress: Progress): readonly Entry[] {
  if (progress.state === 'replicate' && progress.inflights.isFull) return [];
  return state.log.entriesFrom(progress.next, state.options.appendBytesMax) ?? [];
}

/**
 * What the witness may know, without data. Undefined when it had better take what is
 * committed at once: it needs none of the entries that would have to be fetched.
 */
function entriesForWitness(state: RaftState, progress: Progress): readonly Entry[] | undefined {
  const { log, options } = state;
  if (progress.state === 'replicate' && progress.inflights.isFull) return [];
  const end = Math.min(witnessReach(state), log.lastIndex) + 1;
  if (progress.next >= end) return [];
  const entries = log.slice(progress.next, end, options.appendBytesMax);
  if (entries === undefined) return log.committed >= progress.next ? undefined : [];
  return withoutData(entries);
}

/** The follower needs entries that were compacted: name it the state to fetch (Raft §7). */
function sendSnapshot(state: RaftState, to: NodeId, progress: Progress): boolean {
  // One that is silent could not fetch it, and would be taken for one that does.
  if (!progress.recentActive) return false;
  const snapshot = isWitness(state, to) ? markForWitness(state) : stateToFetch(state);
  if (snapshot === undefined) return false;
  progress.becomeSnapshot(snapshot.index);
  state.send({ type: 'snapshot', from: state.id, to, term: state.term, snapshot });
  return true;
}

function markForWitness(state: RaftState): SnapshotMark | undefined {
  const { committed } = state.log;
  return witnessReach(state) < committed ? undefined : markAt(state, committed);
}

function stateToFetch(state: RaftState): SnapshotMark | undefined {
  const { stateToFetch: ask } = state.options;
  return ask === undefined ? markAt(state, state.log.applied) : ask();
}

/** Undefined while a change up to `index` is committed and not in effect: it would be missing. */
function markAt(state: RaftState, index: LogIndex): SnapshotMark | undefined {
  if (state.configs.hasThrough(index)) return undefined;
  const term = state.log.termAt(index);
  assert(term !== undefined, `entry ${index} has no term`);
  const { membershipIndex, tracker } = state;
  return { index, term, membership: tracker.membership, membershipIndex };
}

export function handleAppendResponse(state: RaftState, response: AppendResponse): void {
  const progress = state.tracker.progressOf(response.from);
  if (progress === undefined) return;
  progress.recentActive = true;
  if (response.rejected) handleRejection(state, response, progress);
  else handleAcceptance(state, response, progress);
}

/** Looks for the place where the logs agree, a term at a step (Raft §5.3, end). */
function handleRejection(state: RaftState, response: AppendResponse, progress: Progress): void {
  const { index, hintIndex, hintTerm, hasLost } = response;
  if (hasLost && progress.lose(hintIndex)) {
    sendAppend(state, response.from, true);
    return;
  }
  const hint = hintTerm > 0 ? state.log.findConflictByTerm(hintIndex, hintTerm).index : hintIndex;
  if (!progress.maybeDecrease(index, hint)) return;
  if (progress.state === 'replicate') progress.becomeProbe();
  sendAppend(state, response.from, true);
}

function handleAcceptance(state: RaftState, response: AppendResponse, progress: Progress): void {
  const { from, index } = response;
  const isProbed = progress.match === index && progress.state === 'probe';
  if (!progress.maybeUpdate(index) && !isProbed) return;
  advanceProgress(state, progress, index);
  if (maybeCommit(state)) {
    askPostponed(state);
    broadcastAppend(state);
  } else if (from !== state.id && progress.canBumpCommit(state.log.committed)) {
    sendAppend(state, from, true);
  }
  // What the copy set holds now is for the witness to know.
  if (hasWitness(state)) fillWindow(state, state.tracker.membership.witness);
  if (from === state.id) return;
  fillWindow(state, from);
  if (state.transfer?.to === from && progress.match === state.log.lastIndex) {
    sendTimeoutNow(state, state.transfer);
  }
}

/** Sends on until the window is full or the log's end is reached. */
function fillWindow(state: RaftState, to: NodeId): void {
  let isSent = true;
  while (isSent) isSent = sendAppend(state, to, false);
}

function advanceProgress(state: RaftState, progress: Progress, index: number): void {
  switch (progress.state) {
    case 'probe':
      progress.becomeReplicate();
      return;
    case 'snapshot':
      // Any state that reaches this log will do, not only the one it was told of.
      if (progress.match + 1 >= state.log.firstIndex) {
        progress.becomeProbe();
        progress.becomeReplicate();
      }
      return;
    case 'replicate':
      progress.inflights.freeThrough(index);
      return;
  }
}

/** Commits what a quorum holds of the own term (Raft §5.4.2). */
export function maybeCommit(state: RaftState): boolean {
  const index = Math.min(state.tracker.committed(), copiesReach(state));
  return state.log.maybeCommit({ term: state.term, index });
}

export function handleHeartbeatResponse(state: RaftState, response: HeartbeatResponse): void {
  const progress = state.tracker.progressOf(response.from);
  if (progress === undefined) return;
  progress.recentActive = true;
  progress.paused = false;
  // A witness has its state as soon as it hears of it: one that answers anew may have missed it.
  if (isWitness(state, response.from) && progress.state === 'snapshot') progress.becomeProbe();
  if (progress.match < state.log.lastIndex || progress.state === 'probe') {
    sendAppend(state, response.from, true);
  }
  confirmReads(state, response);
}

/** The state that a member was told to fetch is there, or could not be fetched. */
export function stateReported(state: RaftState, id: NodeId, hasSucceeded: boolean): void {
  const progress = state.tracker.progressOf(id);
  if (progress?.state !== 'snapshot') return;
  if (!hasSucceeded) progress.pendingSnapshot = 0;
  progress.becomeProbe();
  // Its own answer will tell, or else a heartbeat's.
  progress.paused = true;
}

export type TransferResult = 'begun' | 'notVoter' | 'alreadyLeader' | 'alreadyTransferring';

/** Asked to give the lead to another voter; a new target takes the place of an earlier one. */
export function requestTransfer(state: RaftState, transfer: Transfer): TransferResult {
  const { to } = transfer;
  if (!state.tracker.isVoter(to) || isWitness(state, to)) return 'notVoter';
  if (state.transfer?.to === to) return 'alreadyTransferring';
  state.transfer = undefined;
  if (to === state.id) return 'alreadyLeader';
  beginTransfer(state, transfer);
  return 'begun';
}

/** Looks again for members that have fetched a state for long; `ticks` passed since it looked last. */
export function lookForStates(state: RaftState, ticks: number): void {
  const { repeatStateTicks } = state.options;
  if (repeatStateTicks === undefined) return;
  for (const id of state.tracker.members) {
    const progress = state.tracker.progressOf(id);
    if (progress?.state !== 'snapshot') continue;
    progress.stateTicks += ticks;
    if (progress.stateTicks >= repeatStateTicks) progress.becomeProbe();
  }
}

/** Begins to give the lead to another voter (dissertation §3.10). */
function beginTransfer(state: RaftState, transfer: Transfer): void {
  // It should be over within one election timeout.
  state.electionElapsed = 0;
  state.transfer = transfer;
  const progress = state.tracker.progressOf(transfer.to);
  assert(progress !== undefined, 'a transfer to one who is no member');
  if (progress.match === state.log.lastIndex) sendTimeoutNow(state, transfer);
  else sendAppend(state, transfer.to, true);
}

function sendTimeoutNow(state: RaftState, { to, handover }: Transfer): void {
  state.send({ type: 'timeoutNow', from: state.id, to, term: state.term, handover });
}
