/**
 * The entry that decrees a copy set (safety rule 23): of kind `config`, told from a
 * change of members by its first byte.
 *
 * ```
 * data:  0xc1 | JSON list of the members' names, UTF-8
 * ```
 *
 * It says which members must hold an entry before it commits, and changes neither
 * voters nor quorums: so it is not subject to the rules of joint configurations.
 */

import { MailraftError } from '../../../errors.ts';
import { nodesOf } from '../membership/membership.ts';
import type { Entry, NodeId } from '../types.ts';

/** No MessagePack value begins with this byte. */
const TAG = 0xc1;

/** The data of an entry that decrees `ids`. */
export function encodeCopySet(ids: readonly NodeId[]): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(ids));
  const data = new Uint8Array(text.length + 1);
  data[0] = TAG;
  data.set(text, 1);
  return data;
}

/**
 * The copy set that an entry decrees, if it does.
 *
 * @throws {MailraftError} `DATA_INVALID` when it is one that can not be read
 */
export function copySetIn({ kind, data }: Pick<Entry, 'kind' | 'data'>): NodeId[] | undefined {
  if (kind !== 'config' || data[0] !== TAG) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(data.subarray(1)));
  } catch (cause) {
    throw new MailraftError('DATA_INVALID', 'a copy set can not be read', { cause });
  }
  const ids = nodesOf(value);
  if (ids.length === 0) throw new MailraftError('DATA_INVALID', 'a copy set names nobody');
  return ids;
}
