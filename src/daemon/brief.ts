/** What a member with data says of itself to the others. */

import type { Journal } from '../journal/journal.ts';
import { knowledgeOf } from './knowledge.ts';
import { neededFrom } from './lead-duties.ts';
import type { Member } from './member.ts';
import { BRIEF_TEXT_MAX, type Brief } from './peer-watch.ts';
import type { Replication } from './replication-port.ts';

export interface BriefParts {
  readonly node: string;
  readonly incarnation: string;
  readonly isBarred: boolean;
  readonly replication: Replication;
  readonly journal: Pick<Journal, 'syncedHardState'>;
}

export function briefOf(
  {
    life,
    serves,
    fitness,
    files,
    host,
  }: Pick<Member, 'life' | 'serves' | 'fitness' | 'files' | 'host'>,
  { node, incarnation, isBarred, replication, journal }: BriefParts,
): Brief {
  const { status } = replication;
  // Without room it may serve if nobody else can, and is not to be preferred.
  const obstacle = fitness.obstacle ?? status.lacksRoom ?? '';
  const { term, vote, commit } = journal.syncedHardState;
  return {
    node,
    incarnation,
    term,
    vote,
    commit,
    isBarred,
    mode: status.mode,
    phase: life.phase,
    serves,
    epoch: life.phase === 'secondary' ? 0 : life.term,
    canServe: obstacle === '' && status.mode === 'following' && status.missing === 0,
    obstacle: obstacle.slice(0, BRIEF_TEXT_MAX),
    applied: files.appliedIndex,
    neededFrom: neededFrom(replication),
    missing: status.missing,
    fetchedBytes: status.fetchedBytes,
    salvageFiles: status.salvageFiles,
    ...knowledgeOf(host),
  };
}
