/**
 * Commits that must have reached two groups of voters, for instance two sites, so that the
 * loss of one of them loses nothing.
 */

import type { Membership, NodeId } from '../types.ts';
import { majorityReached } from './majority.ts';

/** The group of a voter; undefined when it is in none. */
export type GroupOf = (voter: NodeId) => string | undefined;

/**
 * The highest value that a quorum of the configuration has reached, and with it voters of
 * two groups, in each half of a joint one.
 *
 * Where there are no two groups, one that all voters share asks for nothing more. But while
 * some are in none, they might be in a second one: then only what all have reached counts.
 */
export function groupsReached(
  { voters, outgoing }: Membership,
  reachedBy: (voter: NodeId) => number,
  groupOf: GroupOf,
): number {
  return Math.min(
    reachedInOne(voters, reachedBy, groupOf),
    reachedInOne(outgoing, reachedBy, groupOf),
  );
}

function reachedInOne(
  voters: readonly NodeId[],
  reachedBy: (voter: NodeId) => number,
  groupOf: GroupOf,
): number {
  const quorum = majorityReached(voters, reachedBy);
  /** What the foremost of each group has reached. */
  const groups = new Map<string, number>();
  for (const voter of voters) {
    const group = groupOf(voter);
    if (group !== undefined) groups.set(group, Math.max(groups.get(group) ?? 0, reachedBy(voter)));
  }
  const [, second] = [...groups.values()].sort((a, b) => b - a);
  if (second !== undefined) return Math.min(quorum, second);
  const isShared = voters.every((voter) => groupOf(voter) !== undefined);
  return isShared ? quorum : Math.min(...voters.map(reachedBy));
}
