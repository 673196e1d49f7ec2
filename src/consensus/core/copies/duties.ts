/**
 * What a leader does for the copy set, and for the witness (safety rule 23). Nothing in
 * a group without a witness.
 */

import { appendUnbounded } from '../append.ts';
import type { RaftState } from '../state.ts';
import { type Entry, type LogIndex, NO_NODE, type NodeId } from '../types.ts';
import { dataVotersOf } from './copy-sets.ts';
import { encodeCopySet } from './decree.ts';
import { nextCopySet } from './next-copy-set.ts';

const NOTHING = new Uint8Array(0);

export function hasWitness(state: RaftState): boolean {
  return state.tracker.membership.witness !== NO_NODE;
}

export function isWitness(state: RaftState, id: NodeId): boolean {
  return id === state.tracker.membership.witness && id !== NO_NODE;
}

/** How far entries may be committed: all of the copy set hold them; no bound without a witness. */
export function copiesReach(state: RaftState): LogIndex {
  if (!hasWitness(state)) return Number.POSITIVE_INFINITY;
  const { copies, tracker } = state;
  return copies.reach(tracker.membership, tracker.matchOf);
}

/** How far the witness may know the log. */
export function witnessReach(state: RaftState): LogIndex {
  const { copies, tracker } = state;
  return copies.witnessReach(tracker.membership, tracker.matchOf);
}

/** Entries as a witness keeps them: only what changes the configuration has its data. */
export function withoutData(entries: readonly Entry[]): readonly Entry[] {
  return entries.map((entry) =>
    entry.kind === 'config' || entry.data.length === 0 ? entry : { ...entry, data: NOTHING },
  );
}

/** A leadership begins: before anything else the leader is one of its own set. */
export function openCopySet(state: RaftState): void {
  state.hearing.lead(state.tracker.members);
  state.levelMark = Number.POSITIVE_INFINITY;
  if (!hasWitness(state)) return;
  const inForce = state.copies.inForce(state.tracker.membership);
  if (!inForce.includes(state.id)) decree(state, [...inForce, state.id]);
}

/**
 * Looks, once a tick, whether another set is to be decreed, and appends it.
 *
 * @returns whether it did
 */
export function keepCopySet(state: RaftState): boolean {
  const { tracker, hearing, log } = state;
  if (!hasWitness(state)) return false;
  const dataVoters = dataVotersOf(tracker.membership);
  for (const id of dataVoters) hearing.noteMatch(id, tracker.matchOf(id), log.lastIndex);
  const next = nextCopySet({
    self: state.id,
    inForce: state.copies.inForce(tracker.membership),
    dataVoters,
    mayShrink: mayShrink(state),
    mayGrow: log.termAt(log.committed) === state.term && state.transfer === undefined,
    isSilent: (id) => isSilent(state, id),
    isLevel: (id) => isLevel(state, id),
  });
  markLevel(state);
  if (next === undefined) return false;
  decree(state, next);
  return true;
}

function decree(state: RaftState, ids: readonly NodeId[]): void {
  // Never refused for lack of room: it may be what gives room again.
  appendUnbounded(state, [{ kind: 'config', data: encodeCopySet(ids) }]);
}

/**
 * The witness answers, and so will count for who is left out. One that gives its place
 * away leaves nobody out: what it committed with the witness alone would be lost with it.
 */
function mayShrink(state: RaftState): boolean {
  const { hearing, tracker, options } = state;
  if (state.transfer !== undefined || !state.shrinksCopies) return false;
  const isAnswering = hearing.silentFor(tracker.membership.witness) <= 2 * options.heartbeatTicks;
  return isAnswering && hearing.ledFor >= options.heartbeatTicks;
}

/** For an election timeout and a heartbeat: no word, or entries owed and none stored. */
function isSilent(state: RaftState, id: NodeId): boolean {
  const { electionTicks, heartbeatTicks } = state.options;
  const ticks = Math.max(state.hearing.silentFor(id), state.hearing.stillFor(id));
  return ticks >= electionTicks + heartbeatTicks;
}

function isLevel(state: RaftState, id: NodeId): boolean {
  const progress = state.tracker.progressOf(id);
  const isFollowing = progress?.state === 'replicate' && progress.match >= state.levelMark;
  return isFollowing && (state.options.hasAllData?.(id) ?? true);
}

/** What the log holds at a heartbeat is what a level member holds at the next one. */
function markLevel(state: RaftState): void {
  if (state.heartbeatElapsed === 0) state.levelMark = state.log.lastIndex;
}
