/** Why a node takes no part in its cluster, for its status and its log. */

import { addVerb } from './admission.ts';
import type { Roster } from './roster.ts';

export interface AbsenceFacts {
  readonly id: string;
  readonly incarnation: string;
  readonly roster: Pick<Roster, 'self' | 'isGroups'>;
  /** What the founding waits for; undefined once this node belongs to the cluster. */
  readonly foundingProblem: string | undefined;
  /** Why the data directory can not be relied on; empty when it can. */
  readonly fault: string;
  /** Peers that answer and do not want this node, each with its reason. */
  readonly refusals: readonly string[];
  /** A leader is heard: the members known here are those of now. */
  readonly knowsLeader: boolean;
}

/** In words that say what to do; undefined when nothing keeps it away. */
export function absenceOf(facts: AbsenceFacts): string | undefined {
  const { id, incarnation, roster, foundingProblem, fault, refusals } = facts;
  if (foundingProblem !== undefined) return foundingProblem;
  if (fault !== '') return fault;
  if (!roster.isGroups) return undefined;
  const named = roster.self?.incarnation;
  if (named === undefined) return refusals[0] ?? notListed(id);
  // One that was removed may never hear of it but by the refusals of the others.
  if (named === '' || named === incarnation) return facts.knowsLeader ? undefined : refusals[0];
  // It joined and the entry that names it is still on its way, or it was replaced.
  return refusals[0] ?? `the cluster knows ${id} with another data directory: ${addVerb(id)}`;
}

function notListed(id: string): string {
  return `the cluster does not list ${id}: it was removed, or is being added; to add it, ${addVerb(id)}`;
}
