/**
 * How large an entry is by the encoding that transcripts count in: protocol buffers with
 * kind, term and index, and the data unless there is none.
 */

import { decodeConfigChange } from '../../src/consensus/core/membership/change.ts';
import type { Entry } from '../../src/consensus/core/types.ts';
import { FIRST_FORM } from './describe.ts';
import { decimal } from './node-ids.ts';

const KIND_BYTES = 2;

export function entryBytes(entry: Entry): number {
  const data = dataBytes(entry);
  const dataField = data === undefined ? 0 : 1 + numberBytes(data) + data;
  return KIND_BYTES + 1 + numberBytes(entry.term) + 1 + numberBytes(entry.index) + dataField;
}

function dataBytes({ kind, data }: Entry): number | undefined {
  if (kind !== 'config') return kind === 'noop' ? undefined : data.length;
  // An entry that leaves a joint configuration by itself has none.
  if (data.length === 0) return undefined;
  const { changes, context } = decodeConfigChange(data);
  const sizes = changes.map(({ id }) => 2 + 1 + numberBytes(BigInt(decimal(id))));
  if (context === FIRST_FORM) return 2 + (sizes[0] ?? 0);
  return 2 + sizes.reduce((total, size) => total + 1 + numberBytes(size) + size, 0);
}

/** Seven bits a byte. */
function numberBytes(value: number | bigint): number {
  return Math.max(1, Math.ceil(value.toString(2).length / 7));
}
