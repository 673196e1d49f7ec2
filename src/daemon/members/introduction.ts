/** What a node says of itself to whoever wants to add it. */

import { MailraftError } from '../../errors.ts';
import type { Journal } from '../../journal/journal.ts';
import type { NodeIdentity } from '../identity.ts';

export interface Introduction {
  readonly id: string;
  readonly incarnation: string;
  /** Empty while its data directory belongs to no cluster. */
  readonly clusterId: string;
  /** Its data directory has taken nothing in yet: neither a vote nor an entry. */
  readonly isFresh: boolean;
  /** It would be a witness: its file says so, and it has no volumes. */
  readonly isWitness: boolean;
  /** Why its data directory can not be relied on; empty when it can. */
  readonly fault: string;
}

const TEXT_MAX = 4096;

export function introduce(
  { id, incarnation, clusterId }: NodeIdentity,
  journal: Pick<Journal, 'hardStateNow' | 'lastIndex'> | undefined,
  { isWitness, fault }: Pick<Introduction, 'isWitness' | 'fault'>,
): Introduction {
  const isFresh =
    journal === undefined || (journal.hardStateNow.term === 0 && journal.lastIndex === 0);
  return { id, incarnation, clusterId, isFresh, isWitness, fault };
}

/** @throws {MailraftError} `DATA_INVALID` */
export function introductionOf(value: unknown): Introduction {
  const fields = typeof value === 'object' && value !== null ? { ...value } : {};
  const { id, incarnation, clusterId, isFresh, isWitness, fault } = fields as Record<
    string,
    unknown
  >;
  const areTexts = [id, incarnation, clusterId, fault].every(
    (text) => typeof text === 'string' && text.length <= TEXT_MAX,
  );
  if (areTexts && typeof isFresh === 'boolean' && typeof isWitness === 'boolean') {
    return { id, incarnation, clusterId, isFresh, isWitness, fault } as Introduction;
  }
  throw new MailraftError('DATA_INVALID', 'the node answers in a way that is not understood');
}
