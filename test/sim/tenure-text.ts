/** Tenure records among the commands of a simulation, as text. */

import type { Entry } from '../../src/consensus/core/types.ts';
import type { TenureRecord } from '../../src/consensus/host/tenure-records.ts';

const PREFIX = 'tenure ';
/** First byte of every command that holds a record, and of no other. */
export const TENURE_TAG: number = PREFIX.charCodeAt(0);

export function encodeTenure(record: TenureRecord): Buffer {
  return Buffer.from(PREFIX + JSON.stringify(record));
}

export function readTenure({ data }: Entry): TenureRecord | undefined {
  if (data[0] !== TENURE_TAG) return undefined;
  const text = Buffer.from(data.buffer, data.byteOffset, data.length).toString();
  return JSON.parse(text.slice(PREFIX.length));
}
