/**
 * Agreement of a configuration that may be joint: both halves must agree (Raft §6).
 */

import type { Membership, NodeId } from '../types.ts';
import { majorityReached, majorityVote, type VoteResult } from './majority.ts';

/** The highest value that a quorum of the configuration has reached. */
export function quorumReached(
  membership: Membership,
  reachedBy: (voter: NodeId) => number,
): number {
  return Math.min(
    majorityReached(membership.voters, reachedBy),
    majorityReached(membership.outgoing, reachedBy),
  );
}

/** Won when both halves granted, lost when one refused. */
export function quorumVote(
  membership: Membership,
  votes: ReadonlyMap<NodeId, boolean>,
): VoteResult {
  const incoming = majorityVote(membership.voters, votes);
  const outgoing = majorityVote(membership.outgoing, votes);
  if (incoming === outgoing) return incoming;
  return incoming === 'lost' || outgoing === 'lost' ? 'lost' : 'pending';
}

/** Every voter of either half, once, in a fixed order. */
export function votersOf(membership: Membership): readonly NodeId[] {
  if (membership.outgoing.length === 0) return membership.voters;
  return [...new Set([...membership.voters, ...membership.outgoing])].sort();
}

/** Whether `id` votes in either half. */
export function isVoter(membership: Membership, id: NodeId): boolean {
  return membership.voters.includes(id) || membership.outgoing.includes(id);
}
