/**
 * Elections: standing, asking, answering and counting (Raft §5.2, §5.4.1;
 * rehearsal by pre-vote: dissertation §9.6; transfer: §3.10).
 */

import { broadcastAppend } from './leader.ts';
import type { TimeoutNowMessage, VoteRequest, VoteResponse } from './messages.ts';
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from './roles.ts';
import type { RaftState, Transfer } from './state.ts';
import { NO_NODE, type Term } from './types.ts';

/**
 * Stands for election, if this member may: never with a configuration that is no longer
 * the group's, so a committed change must be in effect before (safety rule 10).
 */
export function campaign(state: RaftState, transfer?: Transfer): void {
  if (state.role === 'leader' || !state.isPromotable) return;
  if (state.configs.hasThrough(state.log.committed)) return;
  state.campaignTransfer = transfer;
  if (state.options.preVote && transfer === undefined) {
    becomePreCandidate(state);
    askForVotes(state, 'preVote');
  } else {
    becomeCandidate(state);
    askForVotes(state, 'vote');
  }
}

function askForVotes(state: RaftState, type: 'vote' | 'preVote'): void {
  // The own vote counts like any other: once it is durable.
  state.sendAfterAppend(answer(state, { type, term: termAskedFor(state), from: state.id }, false));
  repeatRequests(state);
}

/** Asks again those who have not answered: a voter that was silent may be free by now. */
export function repeatRequests(state: RaftState): void {
  const type = state.role === 'preCandidate' ? 'preVote' : 'vote';
  const term = termAskedFor(state);
  const { index: lastIndex, term: lastTerm } = state.log.lastId;
  const transfer = state.campaignTransfer !== undefined;
  const handover = state.campaignTransfer?.handover ?? 0;
  for (const to of state.tracker.voters) {
    if (to === state.id || state.tracker.hasAnswered(to)) continue;
    state.send({ type, from: state.id, to, term, lastIndex, lastTerm, transfer, handover });
  }
}

/** A rehearsal asks for the term that would come next. */
function termAskedFor(state: RaftState): Term {
  return state.role === 'preCandidate' ? state.term + 1 : state.term;
}

/**
 * Answers a request of any term that passed the term filter (Raft §5.2, §5.4.1). So does one
 * that knows itself as a learner, or as no member: it may have been made a voter without
 * having heard of it yet, and only who has can tell (dissertation §4.2.1).
 */
export function handleVoteRequest(state: RaftState, request: VoteRequest): void {
  const canVote =
    state.vote === request.from ||
    (state.vote === NO_NODE && state.leader === NO_NODE) ||
    (request.type === 'preVote' && request.term > state.term);
  const last = { index: request.lastIndex, term: request.lastTerm };
  if (!canVote || !state.log.isUpToDate(last)) {
    // A refusal carries the own term, so that one who lags learns of it.
    state.sendAfterAppend(answer(state, { ...request, term: state.term }, true));
    return;
  }
  state.sendAfterAppend(answer(state, request, false));
  if (request.type === 'vote') {
    state.electionElapsed = 0;
    state.vote = request.from;
  }
}

/** Refuses a pre-vote of an old term, telling the term of now. */
export function refusePreVote(state: RaftState, request: VoteRequest): void {
  state.sendAfterAppend(answer(state, { ...request, term: state.term }, true));
}

function answer(
  state: RaftState,
  request: Pick<VoteRequest, 'type' | 'term' | 'from'>,
  rejected: boolean,
): VoteResponse {
  const type = request.type === 'vote' ? 'voteResponse' : 'preVoteResponse';
  const response = {
    type,
    from: state.id,
    to: request.from,
    term: request.term,
    rejected,
  } as const;
  const { committed } = state.log;
  const isTold = state.options.refusalsTellCommit !== false;
  if (!rejected || committed === 0 || !isTold) return response;
  return { ...response, commitIndex: committed, commitTerm: state.log.termAt(committed) ?? 0 };
}

/**
 * What a voter knows to be committed is so for everybody who has that entry.
 *
 * Where a configuration takes effect once it is committed, those who do not know that it is
 * may be too few by the one before: a voter that it removed stands no more, and refuses them
 * for what it has beyond them. So its refusal tells them; and who stood by the configuration
 * before stands anew.
 */
export function learnCommit(state: RaftState, response: VoteResponse): void {
  const { commitIndex: index = 0, commitTerm: term = 0 } = response;
  if (state.role === 'leader' || !state.log.maybeCommit({ index, term })) return;
  if (!state.configs.hasThrough(index) || state.role === 'follower') return;
  becomeFollower(state, state.term, NO_NODE);
}

/** Counts an answer at a candidate or pre-candidate. */
export function handleVoteResponse(state: RaftState, response: VoteResponse): void {
  const expected = state.role === 'preCandidate' ? 'preVoteResponse' : 'voteResponse';
  if (response.type !== expected) return;
  state.tracker.recordVote(response.from, !response.rejected);
  const result = state.tracker.tallyVotes();
  if (result === 'won' && isOwnVoteStored(state)) win(state);
  // A pre-vote answer may carry the term above: the own term is still the same.
  if (result === 'lost') becomeFollower(state, state.term, NO_NODE);
}

/**
 * A leader whose own vote is not durable could crash, stand for the very same term again,
 * win it with the same votes and lead it with another log (Raft §5.4.2 rests on one
 * leader, and one log of it, a term).
 */
function isOwnVoteStored(state: RaftState): boolean {
  const { waitsForOwnVote } = state.options;
  return (
    waitsForOwnVote === false || state.role !== 'candidate' || state.tracker.hasAnswered(state.id)
  );
}

function win(state: RaftState): void {
  if (state.role === 'preCandidate') {
    becomeCandidate(state);
    askForVotes(state, 'vote');
    return;
  }
  becomeLeader(state);
  broadcastAppend(state);
}

/** Campaigns at once, because the leader gives its place to this member. */
export function handleTimeoutNow(state: RaftState, message: TimeoutNowMessage): void {
  campaign(state, { to: state.id, handover: message.handover });
}
