/** How many copies of everything committed there surely are, for reports. */

import { majorityOf } from '../consensus/core/quorum/majority.ts';
import { type Membership, NO_NODE, type NodeId } from '../consensus/core/types.ts';

/**
 * Disks that hold every committed entry with its data: those of the copy set in a group
 * with a witness (safety rule 23), else of a majority. 0 while no group is known.
 */
export function copiesOf(membership: Membership | undefined): number {
  if (membership === undefined) return 0;
  const { voters, outgoing, witness, copySet } = membership;
  if (voters.length === 0) return 0;
  if (witness === NO_NODE) return majorityOf(voters.length);
  const isData = (id: string): boolean => id !== witness;
  const present = copySet.filter((id) => voters.includes(id) || outgoing.includes(id));
  return (present.length > 0 ? present : voters.filter(isData)).length;
}

/**
 * Whether a node that is stopping is still needed for its copy: with a witness nothing
 * commits without it until it was silent for a while, so it stays until another serves.
 */
export function isCopyAwaited(
  self: NodeId,
  copySet: readonly NodeId[],
  findFresh: (id: NodeId) => { readonly serves: boolean } | undefined,
): boolean {
  if (!copySet.includes(self)) return false;
  const others = copySet.filter((id) => id !== self).flatMap((id) => findFresh(id) ?? []);
  return others.length > 0 && !others.some(({ serves }) => serves);
}
