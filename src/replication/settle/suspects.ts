/** What a loss of power may have taken from the disk again (safety rule 21). */

import type { CommittedState } from '../committed-state.ts';
import type { JournalledCommand, ReplicationPort } from '../parts.ts';

/** What the journal holds, first and last entry. */
export interface JournalRange {
  readonly firstIndex: number;
  readonly lastIndex: number;
}

/** The commands that were applied and not synced; everything, where the journal lost them. */
export async function suspectsOf(
  { synced, position }: CommittedState,
  port: Pick<ReplicationPort, 'readJournal'>,
  { firstIndex, lastIndex }: JournalRange,
): Promise<readonly JournalledCommand[] | 'everything'> {
  if (synced >= position.index) return [];
  const isTold = firstIndex <= synced + 1 && position.index <= lastIndex;
  return isTold ? await port.readJournal(synced + 1, position.index + 1) : 'everything';
}
