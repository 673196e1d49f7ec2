/**
 * Majorities of one set of voters.
 *
 * An empty set agrees to everything: it commits infinity and wins every vote,
 * so that the empty half of a joint configuration never stands in the way.
 */

import type { NodeId } from '../types.ts';

export type VoteResult = 'pending' | 'lost' | 'won';

/** How many of `count` voters make a majority. */
export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}

/**
 * The highest value that a majority of `voters` has reached.
 *
 * @param reachedBy what a voter has reached; 0 when it has not been heard of
 */
export function majorityReached(
  voters: readonly NodeId[],
  reachedBy: (voter: NodeId) => number,
): number {
  if (voters.length === 0) return Number.POSITIVE_INFINITY;
  if (voters.length === 3) return middleOf(voters, reachedBy);
  const values = voters.map(reachedBy).sort((a, b) => b - a);
  return values[majorityOf(voters.length) - 1] as number;
}

/** The usual case of three voters, on every commit: no array, no sort. */
function middleOf(voters: readonly NodeId[], reachedBy: (voter: NodeId) => number): number {
  const a = reachedBy(voters[0] as NodeId);
  const b = reachedBy(voters[1] as NodeId);
  const c = reachedBy(voters[2] as NodeId);
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

/** Counts votes: true granted, false refused, absent not yet answered. */
export function majorityVote(
  voters: readonly NodeId[],
  votes: ReadonlyMap<NodeId, boolean>,
): VoteResult {
  if (voters.length === 0) return 'won';
  let granted = 0;
  let missing = 0;
  for (const voter of voters) {
    const vote = votes.get(voter);
    if (vote === undefined) missing += 1;
    else if (vote) granted += 1;
  }
  const needed = majorityOf(voters.length);
  if (granted >= needed) return 'won';
  return granted + missing >= needed ? 'pending' : 'lost';
}
