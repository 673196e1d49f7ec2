/**
 * What a follower does with the words of its leader (Raft §5.3).
 */

import { isWitness, withoutData } from './copies/duties.ts';
import type {
  AppendMessage,
  AppendResponse,
  HeartbeatMessage,
  SnapshotMessage,
} from './messages.ts';
import type { RaftState } from './state.ts';
import type { LogIndex, Membership, NodeId, SnapshotMark } from './types.ts';

/** A leader spoke: it is followed, and the election timeout starts anew. */
export function hearLeader(state: RaftState, leader: NodeId): void {
  state.electionElapsed = 0;
  state.leader = leader;
  state.hearing.follows(leader);
}

export function handleAppend(state: RaftState, message: AppendMessage): void {
  const { log } = state;
  if (message.prevIndex < log.committed) {
    acknowledge(state, message.from, log.committed);
    return;
  }
  const previous = { index: message.prevIndex, term: message.prevTerm };
  const entries = isWitness(state, state.id) ? withoutData(message.entries) : message.entries;
  const last = log.maybeAppend(previous, entries, message.commit);
  if (last !== undefined) {
    acknowledge(state, message.from, last);
    return;
  }
  // Name the last place where the logs may agree: one answer skips a whole term.
  const start = Math.min(message.prevIndex, log.lastIndex);
  const hint = log.findConflictByTerm(start, message.prevTerm);
  state.sendAfterAppend({
    ...acknowledgement(state, message.from, message.prevIndex),
    rejected: true,
    hintIndex: hint.index,
    hintTerm: hint.term,
  });
}

export function handleHeartbeat(state: RaftState, message: HeartbeatMessage): void {
  state.log.commitTo(message.commit);
  const { from: to, round } = message;
  state.send({ type: 'heartbeatResponse', from: state.id, to, term: state.term, round });
}

export function handleSnapshot(state: RaftState, message: SnapshotMessage): void {
  restore(state, message.snapshot);
  acknowledge(state, message.from, state.log.committed);
}

/** Takes the state's place in the log, unless the own log holds as much (Raft §7). */
function restore(state: RaftState, named: SnapshotMark): void {
  const mark = withNewestMembership(state, named);
  if (mark.index <= state.log.committed || !isNamed(state.id, mark.membership)) return;
  if (state.log.matches(mark)) {
    state.log.commitTo(mark.index);
    return;
  }
  state.log.restore(mark);
  state.configs.restored();
  state.copies.restored();
  state.tracker.restore(mark.membership, state.id, mark.index);
  state.membershipIndex = mark.membershipIndex ?? mark.index;
}

/** A configuration never goes back: this member may have been told a newer one already. */
function withNewestMembership(state: RaftState, mark: SnapshotMark): SnapshotMark {
  const { membershipIndex, tracker } = state;
  if ((mark.membershipIndex ?? mark.index) >= membershipIndex) return mark;
  return { ...mark, membership: tracker.membership, membershipIndex };
}

/** A state of which this member is no part was meant for another. */
function isNamed(id: NodeId, { voters, outgoing, learners }: Membership): boolean {
  return voters.includes(id) || outgoing.includes(id) || learners.includes(id);
}

/** Frees a leader or candidate of a past term: the answer carries the term of now. */
export function answerStaleLeader(state: RaftState, to: NodeId): void {
  acknowledge(state, to, 0);
}

function acknowledge(state: RaftState, to: NodeId, index: LogIndex): void {
  state.sendAfterAppend(acknowledgement(state, to, index));
}

function acknowledgement(state: RaftState, to: NodeId, index: LogIndex): AppendResponse {
  const { id: from, term } = state;
  return {
    type: 'appendResponse',
    from,
    to,
    term,
    index,
    rejected: false,
    hintIndex: 0,
    hintTerm: 0,
    hasLost: false,
  };
}
