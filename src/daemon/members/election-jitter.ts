/**
 * How priority shows in elections: who has the higher one draws its timeout from an earlier
 * part of the range. Nobody waits longer than the range allows, so that one who is not
 * there, or can not be elected, keeps the others waiting for a moment only. Pure.
 */

import type { RosterMember } from './roster.ts';

/** Ticks beyond the least timeout: from `from` to below `below`. */
export interface Jitter {
  readonly from: number;
  readonly below: number;
}

/** @param ticks of the whole range */
export function electionJitter(
  {
    self,
    members,
  }: { readonly self: RosterMember | undefined; readonly members: readonly RosterMember[] },
  ticks: number,
): Jitter {
  const priorities = members
    .filter(({ standing, canBePrimary }) => standing === 'voter' && canBePrimary)
    .map(({ priority }) => priority);
  const ranks = [...new Set(priorities)].sort((a, b) => b - a);
  const rank = self === undefined ? -1 : ranks.indexOf(self.priority);
  // Each part has a tick at least; whoever does not stand, or has no rank, needs no part.
  if (rank === -1 || ranks.length > ticks) return { from: 0, below: ticks };
  const [from, below] = [rank, rank + 1].map((part) => Math.floor((ticks * part) / ranks.length));
  return { from: from as number, below: below as number };
}
