/**
 * The passing of logical time: elections, heartbeats, the quorum check.
 */

import { keepCopySet } from './copies/duties.ts';
import { campaign, repeatRequests } from './election.ts';
import { broadcastHeartbeat } from './heartbeat.ts';
import { broadcastAppend, lookForStates } from './leader.ts';
import { becomeFollower } from './roles.ts';
import type { RaftState } from './state.ts';
import { NO_NODE } from './types.ts';

/**
 * Lets one tick pass.
 *
 * @param mayCampaign false while this member owes its silence to a leader's lease
 */
export function tick(state: RaftState, mayCampaign: boolean): void {
  state.electionElapsed += 1;
  state.hearing.tick();
  if (state.role === 'leader') tickLeader(state);
  else tickOther(state, mayCampaign);
}

function tickOther(state: RaftState, mayCampaign: boolean): void {
  if (!mayCampaign) return;
  if (state.isPromotable && state.electionElapsed >= state.electionTimeout) {
    state.electionElapsed = 0;
    campaign(state);
    return;
  }
  const repeat = state.options.repeatRequestTicks ?? 0;
  if (state.role !== 'follower' && repeat > 0 && state.electionElapsed % repeat === 0) {
    repeatRequests(state);
  }
}

function tickLeader(state: RaftState): void {
  state.heartbeatElapsed += 1;
  if (state.electionElapsed >= state.options.electionTicks) {
    state.electionElapsed = 0;
    if (state.options.checkQuorum) checkQuorum(state);
    // A transfer that took as long as an election has failed.
    state.transfer = undefined;
  }
  if (state.role === 'leader' && state.heartbeatElapsed >= state.options.heartbeatTicks) {
    state.heartbeatElapsed = 0;
    broadcastHeartbeat(state);
    lookForStates(state, state.options.heartbeatTicks);
  }
  if (state.role === 'leader' && keepCopySet(state)) broadcastAppend(state);
}

/** Steps down when no majority was heard of since the last check (dissertation §6.2). */
function checkQuorum(state: RaftState): void {
  if (!state.tracker.isQuorumActive(state.id)) {
    becomeFollower(state, state.term, NO_NODE);
    return;
  }
  state.tracker.clearActivity(state.id);
}
