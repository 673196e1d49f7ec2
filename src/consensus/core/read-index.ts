/**
 * How a member answers when it is asked for a read index (dissertation §6.4).
 */

import { broadcastHeartbeat } from './heartbeat.ts';
import type { HeartbeatResponse } from './messages.ts';
import type { ReadAnswer, ReadQuestion } from './reads.ts';
import type { RaftState } from './state.ts';

/** At the leader; false when too many questions wait already. */
export function askRead(state: RaftState, question: ReadQuestion): boolean {
  const { reads, log, term } = state;
  if (reads.isFull) return false;
  if (log.termAt(log.committed) !== term) {
    reads.postpone(question);
    return true;
  }
  const isAlone = state.tracker.voters.length === 1 && state.tracker.isVoter(state.id);
  if (isAlone || state.options.readOnly === 'leaseBased') {
    answer(state, { ...question, index: log.committed });
    return true;
  }
  // Only a round that begins now proves that nobody else led when it was asked.
  reads.ask(question, log.committed, state.round + 1);
  broadcastHeartbeat(state);
  return true;
}

/** Something of the own term is committed: who waited for that is asked again. */
export function askPostponed(state: RaftState): void {
  for (const question of state.reads.takePostponed()) askRead(state, question);
}

/** A follower acknowledged a round: it follows nobody else. */
export function confirmReads(state: RaftState, { from, round }: HeartbeatResponse): void {
  const { reads } = state;
  reads.acknowledged(from, round);
  if (!reads.isWaiting) return;
  for (const read of reads.takeConfirmed(state.id, state.tracker.membership)) answer(state, read);
}

function answer(state: RaftState, read: ReadAnswer): void {
  if (read.from === state.id) {
    state.answers.push(read);
    return;
  }
  const { token, index, from: to } = read;
  state.send({ type: 'readIndexResponse', from: state.id, to, term: state.term, token, index });
}
