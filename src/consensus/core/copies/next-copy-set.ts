/**
 * Which copy set a leader should decree (safety rule 23).
 */

import type { NodeId } from '../types.ts';

export interface CopySetFacts {
  readonly self: NodeId;
  readonly inForce: readonly NodeId[];
  /** All that may be in it. */
  readonly dataVoters: readonly NodeId[];
  /** Whether silent members may be left out: the witness answers and can take their place. */
  readonly mayShrink: boolean;
  /** Whether members may be taken back. */
  readonly mayGrow: boolean;
  isSilent(id: NodeId): boolean;
  /** It holds what the leader's log held a moment ago, and all data from before that. */
  isLevel(id: NodeId): boolean;
}

/** The set to decree now; undefined while the one in force is as it should be. */
export function nextCopySet(facts: CopySetFacts): readonly NodeId[] | undefined {
  const { self, inForce, dataVoters } = facts;
  const next = dataVoters.filter((id) => {
    // A leader's copy is one of the set, whoever decreed it: else its own loss would count for nothing.
    if (id === self) return true;
    const isIn = inForce.includes(id);
    if (isIn) return !(facts.mayShrink && facts.isSilent(id));
    return facts.mayGrow && !facts.isSilent(id) && facts.isLevel(id);
  });
  const isSame = next.length === inForce.length && next.every((id) => inForce.includes(id));
  return isSame ? undefined : next;
}
