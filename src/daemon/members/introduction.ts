/** What a node says of itself to whoever wants to add it. */

import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { Ajv } from 'ajv';
import { MailraftError } from '../../errors.ts';
import type { Journal } from '../../journal/journal.ts';
import type { NodeIdentity } from '../identity.ts';

const text = Type.String({ maxLength: 256 });
const IntroductionSchema = Type.Object({
  id: text,
  incarnation: text,
  /** Empty while its data directory belongs to no cluster. */
  clusterId: text,
  /** Its data directory has taken nothing in yet: neither a vote nor an entry. */
  isFresh: Type.Boolean(),
  /** It would be a witness: its file says so, and it has no volumes. */
  isWitness: Type.Boolean(),
  /** Why its data directory can not be relied on; empty when it can. */
  fault: Type.String({ maxLength: 1024 }),
});
export type Introduction = Static<typeof IntroductionSchema>;

const isIntroduction = new Ajv().compile<Introduction>(IntroductionSchema as TSchema);

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
  if (isIntroduction(value)) return value;
  throw new MailraftError('DATA_INVALID', 'the node answers in a way that is not understood');
}
