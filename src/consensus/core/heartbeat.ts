/**
 * Rounds of heartbeats: they keep followers, carry the lease, and confirm reads.
 */

import { assert } from '../../errors.ts';
import type { RaftState } from './state.ts';

/** Starts a heartbeat round. */
export function broadcastHeartbeat(state: RaftState): void {
  state.round += 1;
  for (const to of state.tracker.members) {
    if (to === state.id) continue;
    const progress = state.tracker.progressOf(to);
    assert(progress !== undefined, 'a member has no progress');
    // Beyond its match the follower may hold other entries than the leader does.
    const commit = Math.min(progress.match, state.log.committed);
    const round = state.round;
    state.send({ type: 'heartbeat', from: state.id, to, term: state.term, commit, round });
    progress.sentCommit(commit);
  }
}
