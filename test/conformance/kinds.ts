/** The kinds of transcripts there are, told apart by their directives. */

import { CONFCHANGE_VERBS, confchangeCases } from './confchange-cases.ts';
import { INTERACTION_VERBS, interaction } from './interaction.ts';
import { QUORUM_VERBS, quorumCases } from './quorum-cases.ts';
import type { Case } from './transcript.ts';

export interface Kind {
  readonly name: string;
  readonly verbs: readonly string[];
  /** Whether no case depends on an earlier one, so that one may fail alone. */
  readonly isIndependent: boolean;
  /** Begins a transcript; gives what each directive prints. */
  begin(): (directive: Case) => readonly string[];
}

const KINDS: readonly Kind[] = [
  { name: 'interaction', verbs: INTERACTION_VERBS, isIndependent: false, begin: interaction },
  { name: 'confchange', verbs: CONFCHANGE_VERBS, isIndependent: false, begin: confchangeCases },
  { name: 'quorum', verbs: QUORUM_VERBS, isIndependent: true, begin: quorumCases },
];

/** The kind that knows the first directive of any; undefined when none does. */
export function kindOf(cases: readonly Case[]): Kind | undefined {
  return KINDS.find(({ verbs }) => cases.some(({ verb }) => verbs.includes(verb)));
}
