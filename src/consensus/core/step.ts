/**
 * The one entry of every message: first the terms are compared, then the role
 * decides (Raft figure 2, "Rules for Servers").
 */

import {
  handleTimeoutNow,
  handleVoteRequest,
  handleVoteResponse,
  learnCommit,
  refusePreVote,
} from './election.ts';
import {
  answerStaleLeader,
  handleAppend,
  handleHeartbeat,
  handleSnapshot,
  hearLeader,
} from './follower.ts';
import { forward, takeForwarded } from './forwarding.ts';
import { handleAppendResponse, handleHeartbeatResponse, requestTransfer } from './leader.ts';
import type {
  LeaderMessage,
  Message,
  ProposeMessage,
  ReadIndexMessage,
  TermedMessage,
} from './messages.ts';
import { becomeFollower } from './roles.ts';
import type { RaftState } from './state.ts';
import { NO_NODE } from './types.ts';

/**
 * What became of a message: `unknownMember` is an answer of one who is no member;
 * `dropped` a proposal that was passed on and can not be appended.
 */
export type StepResult = 'taken' | 'unknownMember' | 'dropped';

export function step(state: RaftState, message: Message): StepResult {
  if (message.type === 'propose' || message.type === 'readIndex') {
    return stepForwarded(state, message);
  }
  if (isAnswer(message) && state.tracker.progressOf(message.from) === undefined) {
    return 'unknownMember';
  }
  state.hearing.heard(message.from);
  if (message.type === 'voteResponse' || message.type === 'preVoteResponse') {
    learnCommit(state, message);
  }
  take(state, message);
  return 'taken';
}

function isAnswer({ type }: Message): boolean {
  return type.endsWith('Response');
}

/** Requests of no term. */
function stepForwarded(state: RaftState, message: ProposeMessage | ReadIndexMessage): StepResult {
  if (state.role === 'leader') return takeForwarded(state, message) ? 'taken' : 'dropped';
  return forward(state, message) ? 'taken' : 'dropped';
}

function take(state: RaftState, message: TermedMessage): void {
  if (message.term > state.term && !takeHigherTerm(state, message)) return;
  if (message.term < state.term) {
    answerLowerTerm(state, message);
    return;
  }
  if (message.type === 'vote' || message.type === 'preVote') {
    handleVoteRequest(state, message);
    return;
  }
  if (state.role === 'leader') stepLeader(state, message);
  else stepOther(state, message);
}

/** Adopts the higher term where the message is proof of it; false to ignore the message. */
function takeHigherTerm(state: RaftState, message: TermedMessage): boolean {
  switch (message.type) {
    case 'vote':
    case 'preVote':
      if (!message.transfer && hasLiveLeader(state)) return false;
      // A pre-vote asks about a term that does not exist yet.
      if (message.type === 'vote') becomeFollower(state, message.term, NO_NODE);
      return true;
    case 'preVoteResponse':
      // A grant carries the term the own rehearsal asked for; a refusal the voter's own.
      if (message.rejected) becomeFollower(state, message.term, NO_NODE);
      return true;
    case 'append':
    case 'heartbeat':
    case 'snapshot':
      becomeFollower(state, message.term, message.from);
      return true;
    case 'appendResponse':
    case 'heartbeatResponse':
    case 'voteResponse':
    case 'timeoutNow':
    case 'transferLeader':
    case 'readIndexResponse':
      becomeFollower(state, message.term, NO_NODE);
      return true;
  }
}

/** A leader was heard within the shortest election timeout (dissertation §4.2.3). */
function hasLiveLeader(state: RaftState): boolean {
  return (
    state.options.checkQuorum &&
    state.leader !== NO_NODE &&
    state.electionElapsed < state.options.electionTicks
  );
}

function answerLowerTerm(state: RaftState, message: TermedMessage): void {
  const { checkQuorum, preVote } = state.options;
  if (message.type === 'append' || message.type === 'heartbeat') {
    // With these options a higher term does not reach an old leader by a vote request.
    if (checkQuorum || preVote) answerStaleLeader(state, message.from);
  } else if (message.type === 'preVote') {
    refusePreVote(state, message);
  }
}

function stepLeader(state: RaftState, message: TermedMessage): void {
  switch (message.type) {
    case 'appendResponse':
      handleAppendResponse(state, message);
      return;
    case 'heartbeatResponse':
      handleHeartbeatResponse(state, message);
      return;
    case 'transferLeader':
      requestTransfer(state, { to: message.from, handover: 0 });
      return;
    // Late answers to its election, and what no other member of this term may send.
    case 'append':
    case 'heartbeat':
    case 'snapshot':
    case 'vote':
    case 'preVote':
    case 'voteResponse':
    case 'preVoteResponse':
    case 'timeoutNow':
    case 'readIndexResponse':
      return;
  }
}

/** Followers, and candidates until a leader of their term shows itself. */
function stepOther(state: RaftState, message: TermedMessage): void {
  switch (message.type) {
    case 'append':
    case 'heartbeat':
    case 'snapshot':
      if (state.role !== 'follower') becomeFollower(state, message.term, message.from);
      hearLeader(state, message.from);
      followLeader(state, message);
      return;
    case 'voteResponse':
    case 'preVoteResponse':
      if (state.role !== 'follower') handleVoteResponse(state, message);
      return;
    case 'timeoutNow':
      if (state.role === 'follower') handleTimeoutNow(state, message);
      return;
    case 'transferLeader':
      if (state.role === 'follower') forward(state, message);
      return;
    case 'readIndexResponse': {
      const { token, index } = message;
      if (state.role === 'follower') state.answers.push({ token, index, from: state.id });
      return;
    }
    case 'vote':
    case 'preVote':
    case 'appendResponse':
    case 'heartbeatResponse':
      return;
  }
}

function followLeader(state: RaftState, message: LeaderMessage): void {
  switch (message.type) {
    case 'append':
      handleAppend(state, message);
      return;
    case 'heartbeat':
      handleHeartbeat(state, message);
      return;
    case 'snapshot':
      handleSnapshot(state, message);
      return;
  }
}
