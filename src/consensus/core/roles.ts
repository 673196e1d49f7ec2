/**
 * Moves between follower, pre-candidate, candidate and leader (Raft figure 4).
 */

import { assert } from '../../errors.ts';
import { appendEntries } from './append.ts';
import { openCopySet } from './copies/duties.ts';
import type { RaftState } from './state.ts';
import { NO_NODE, type NodeId, type Term } from './types.ts';

/** Follows `leader`, or nobody yet, in `term`. */
export function becomeFollower(state: RaftState, term: Term, leader: NodeId): void {
  reset(state, term);
  state.leader = leader;
  state.role = 'follower';
}

/** Rehearses an election: neither term nor vote changes (dissertation §9.6). */
export function becomePreCandidate(state: RaftState): void {
  assert(state.role !== 'leader', 'a leader rehearsed an election');
  state.tracker.resetVotes();
  state.leader = NO_NODE;
  state.role = 'preCandidate';
}

export function becomeCandidate(state: RaftState): void {
  assert(state.role !== 'leader', 'a leader stood for election');
  reset(state, state.term + 1);
  state.vote = state.id;
  state.role = 'candidate';
}

/** Leads `state.term`, and opens it with an entry of its own (Raft §8). */
export function becomeLeader(state: RaftState): void {
  assert(state.role !== 'follower', 'a follower became leader without an election');
  reset(state, state.term);
  state.leader = state.id;
  state.role = 'leader';
  state.ledByTransfer = state.campaignTransfer !== undefined;
  state.campaignTransfer = undefined;
  const own = state.tracker.progressOf(state.id);
  assert(own !== undefined, 'a leader is no member of its group');
  own.becomeReplicate();
  own.recentActive = true;
  // A change that an earlier leader left in the log may yet be applied.
  state.pendingConfigIndex = state.log.lastIndex;
  const opened = appendEntries(state, [{ kind: 'noop', data: new Uint8Array(0) }]);
  assert(opened, 'the entry that opens a term was refused');
  openCopySet(state);
}

function reset(state: RaftState, term: Term): void {
  if (state.term !== term) {
    assert(term > state.term, `the term went back from ${state.term} to ${term}`);
    state.term = term;
    state.vote = NO_NODE;
  }
  state.leader = NO_NODE;
  state.electionElapsed = 0;
  state.heartbeatElapsed = 0;
  resetElectionTimeout(state);
  state.transfer = undefined;
  state.tracker.resetVotes();
  state.tracker.reset(state.id, state.log.lastIndex);
  state.pendingConfigIndex = 0;
  state.uncommittedBytes = 0;
  state.reads.reset();
}

/** Draws a new timeout, so that two candidates do not split every vote (Raft §5.2). */
function resetElectionTimeout(state: RaftState): void {
  const { from, below } = state.electionJitter;
  const jitter = from + state.options.random(Math.max(1, below - from));
  state.electionTimeout = state.options.electionTicks + jitter;
}
