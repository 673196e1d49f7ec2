/**
 * Records with a checksum, and entries as records.
 *
 * ```
 * record:  length u32 | crc32c u32 | type u8 | payload
 * entry:   kind u8 | term u48 | index u48 | data
 * ```
 *
 * All numbers are big-endian; `length` counts the payload, and the checksum covers
 * length, type and payload. The journal has records of other types as well. An entry's record is encoded once, by the leader: the
 * same bytes travel to the followers and lie in every journal.
 */

import { assert, MailraftError } from '../../errors.ts';
import { crc32c } from '../../platform/crc32c.ts';
import type { Entry, EntryKind } from '../core/types.ts';

export const RECORD_HEADER_BYTES = 9;
const ENTRY_HEADER_BYTES = 13;

/** Largest payload of a record: an entry of 1 MiB with room to spare. */
export const RECORD_PAYLOAD_BYTES_MAX: number = 2 * 1024 * 1024;

export type RecordType = 'entry' | 'hardState' | 'promise' | 'segment' | 'membership';

const TYPES: readonly RecordType[] = ['entry', 'hardState', 'promise', 'segment', 'membership'];
const KINDS: readonly EntryKind[] = ['noop', 'config', 'command'];

/** Bytes of each entry that were seen already, so that none is encoded twice. */
const encodedEntries = new WeakMap<Entry, Buffer>();

export interface RawRecord {
  readonly type: RecordType;
  readonly payload: Buffer;
  /** Bytes of the whole record. */
  readonly bytes: number;
}

/** A record of `type` around a payload. */
export function encodeRecord(type: RecordType, payload: Buffer): Buffer {
  const record = Buffer.allocUnsafe(RECORD_HEADER_BYTES + payload.length);
  payload.copy(record, RECORD_HEADER_BYTES);
  seal(record, type);
  return record;
}

/** Writes the header of a record whose payload is in place. */
function seal(record: Buffer, type: RecordType): void {
  const payloadBytes = record.length - RECORD_HEADER_BYTES;
  assert(payloadBytes <= RECORD_PAYLOAD_BYTES_MAX, `a record of ${payloadBytes} bytes`);
  record.writeUInt32BE(payloadBytes, 0);
  record.writeUInt8(TYPES.indexOf(type), 8);
  record.writeUInt32BE(crc32c(record.subarray(0, 4), record.subarray(8)), 4);
}

/**
 * Reads the record at `offset`.
 *
 * @throws {MailraftError} `DATA_DAMAGED` when no whole, intact record is there
 */
export function readRecord(bytes: Buffer, offset: number): RawRecord {
  const left = bytes.length - offset;
  if (left < RECORD_HEADER_BYTES) throw damaged('a record is cut short');
  const payloadBytes = bytes.readUInt32BE(offset);
  const end = offset + RECORD_HEADER_BYTES + payloadBytes;
  if (payloadBytes > RECORD_PAYLOAD_BYTES_MAX || end > bytes.length) {
    throw damaged(`a record claims ${payloadBytes} bytes`);
  }
  const sum = crc32c(bytes.subarray(offset, offset + 4), bytes.subarray(offset + 8, end));
  if (sum !== bytes.readUInt32BE(offset + 4)) throw damaged('the checksum of a record is wrong');
  const type = TYPES[bytes.readUInt8(offset + 8)];
  if (type === undefined) throw damaged('a record is of no known type');
  const payload = bytes.subarray(offset + RECORD_HEADER_BYTES, end);
  return { type, payload, bytes: end - offset };
}

/** For bytes that are not what they were when they were written. */
export function damaged(what: string): MailraftError {
  return new MailraftError('DATA_DAMAGED', what);
}

/** The record of an entry; the same buffer each time for the same entry. */
export function encodeEntry(entry: Entry): Buffer {
  const known = encodedEntries.get(entry);
  if (known !== undefined) return known;
  const { data } = entry;
  const record = Buffer.allocUnsafe(RECORD_HEADER_BYTES + ENTRY_HEADER_BYTES + data.length);
  record.writeUInt8(KINDS.indexOf(entry.kind), RECORD_HEADER_BYTES);
  record.writeUIntBE(entry.term, RECORD_HEADER_BYTES + 1, 6);
  record.writeUIntBE(entry.index, RECORD_HEADER_BYTES + 7, 6);
  record.set(data, RECORD_HEADER_BYTES + ENTRY_HEADER_BYTES);
  seal(record, 'entry');
  encodedEntries.set(entry, record);
  return record;
}

/**
 * The entry in a record; its data is a view into the record.
 *
 * @throws {MailraftError} `DATA_DAMAGED` when the record holds none
 */
export function decodeEntry(record: Buffer): Entry {
  const { entry, end } = decodeEntryAt(record, 0);
  if (end !== record.length) throw damaged('the record is not one entry');
  return entry;
}

/** The entry whose record begins at `offset`, and where that ends; throws as `decodeEntry` does. */
export function decodeEntryAt(
  records: Buffer,
  offset: number,
): { readonly entry: Entry; readonly end: number } {
  const { type, payload, bytes } = readRecord(records, offset);
  if (type !== 'entry') throw damaged('the record is no entry');
  const entry = entryOf(payload);
  const end = offset + bytes;
  encodedEntries.set(entry, records.subarray(offset, end));
  return { entry, end };
}

/** The entry in the payload of an entry's record. */
export function entryOf(payload: Buffer): Entry {
  if (payload.length < ENTRY_HEADER_BYTES) throw damaged('an entry is cut short');
  const kind = KINDS[payload.readUInt8(0)];
  if (kind === undefined) throw damaged('an entry is of no known kind');
  return {
    kind,
    term: payload.readUIntBE(1, 6),
    index: payload.readUIntBE(7, 6),
    data: payload.subarray(ENTRY_HEADER_BYTES),
  };
}
