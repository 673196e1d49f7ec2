/**
 * Reads one segment's bytes and tells what is there, what was torn, and what is
 * damaged. Pure.
 *
 * Torn is a batch that a crash cut off: it does not check, its trailer is not
 * there, and nothing intact stands behind it. It was never acknowledged and counts
 * for nothing. Whatever else does not check is damage: bytes that were durable once
 * and are not what they were. No answer ever comes from a record whose checksum is
 * wrong.
 */

import type {
  Entry,
  HardState,
  LogIndex,
  PlacedMembership,
  Term,
} from '../consensus/core/types.ts';
import { entryOf, type RawRecord, readRecord } from '../consensus/host/entry-record.ts';
import { isMailraftError } from '../errors.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_TRAILER_BYTES,
  findBatchHeader,
  findFrame,
  hasBatchTrailer,
} from './batch.ts';
import { hardStateOf, membershipIn, promiseOf } from './record.ts';
import { type SegmentHead, segmentHeadOf } from './segment-head.ts';

/** What an entry is remembered by: the first byte of a command's data, or one of the below. */
export type EntryTag = number;
export const NO_TAG: EntryTag = -1;
/** Marks entries that change the configuration. */
export const CONFIG_TAG: EntryTag = -2;

/** The tag of an entry. */
export function tagOf({ kind, data }: Pick<Entry, 'kind' | 'data'>): EntryTag {
  if (kind === 'command') return data[0] ?? NO_TAG;
  return kind === 'config' ? CONFIG_TAG : NO_TAG;
}

/** Where an entry's record lies in its segment, and what a reader may want to know of it. */
export interface PlacedEntry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly offset: number;
  readonly bytes: number;
  readonly tag: EntryTag;
}

/** Hears what a scan finds, in the order of writing. */
export interface ScanVisitor {
  onHead(head: SegmentHead): void;
  onEntry(entry: PlacedEntry): void;
  onHardState(hardState: HardState): void;
  onPromise(promiseMs: number): void;
  onMembership(placed: PlacedMembership): void;
  /** Bytes from `offset` on are damaged; what follows in the scan lay behind them. */
  onDamage(offset: number, reason: string): void;
}

/** @returns the offset up to which the segment is whole; less than its length when it is torn */
export function scanSegment(bytes: Buffer, visitor: ScanVisitor): number {
  let offset = 0;
  while (offset < bytes.length) {
    const next = scanBatch(bytes, offset, visitor);
    if (next === undefined) return offset;
    offset = next;
  }
  return offset;
}

/** @returns where the next batch begins, undefined when this one is torn */
function scanBatch(bytes: Buffer, offset: number, visitor: ScanVisitor): number | undefined {
  const header = findBatchHeader(bytes, offset);
  if (header === undefined)
    return skip(bytes, offset, visitor, 'a batch does not begin as it must');
  const start = offset + BATCH_HEADER_BYTES;
  const end = start + header.bodyBytes;
  const records = readRecords(bytes, start, end);
  if (records === undefined && !hasBatchTrailer(bytes, end, header.sequence)) {
    return skip(bytes, offset, visitor, 'a batch is incomplete, and others follow');
  }
  for (const { record, at } of records ?? []) tell(record, at, visitor);
  // An intact body counts whatever became of its trailer: keeping more is never wrong.
  if (records === undefined) visitor.onDamage(offset, 'a record does not match its checksum');
  return Math.min(end + BATCH_TRAILER_BYTES, bytes.length);
}

/** Goes on behind bytes that are no batch; undefined when nothing intact follows. */
function skip(
  bytes: Buffer,
  offset: number,
  visitor: ScanVisitor,
  reason: string,
): number | undefined {
  const after = findFrame(bytes, offset + 1);
  if (after < 0) return undefined;
  visitor.onDamage(offset, reason);
  // A trailer closes what is damaged; a header opens the batch after it.
  return findBatchHeader(bytes, after) === undefined ? after + BATCH_TRAILER_BYTES : after;
}

interface RecordAt {
  readonly record: RawRecord;
  readonly at: number;
}

/** All records of a body, undefined unless every one is intact. */
function readRecords(bytes: Buffer, start: number, end: number): RecordAt[] | undefined {
  if (end > bytes.length) return undefined;
  const records: RecordAt[] = [];
  let at = start;
  try {
    while (at < end) {
      const record = readRecord(bytes.subarray(0, end), at);
      records.push({ record, at });
      at += record.bytes;
    }
  } catch (error) {
    if (isMailraftError(error, 'DATA_DAMAGED')) return undefined;
    throw error;
  }
  return records;
}

function tell(record: RawRecord, offset: number, visitor: ScanVisitor): void {
  switch (record.type) {
    case 'segment':
      visitor.onHead(segmentHeadOf(record.payload));
      return;
    case 'hardState':
      visitor.onHardState(hardStateOf(record.payload));
      return;
    case 'promise':
      visitor.onPromise(promiseOf(record.payload));
      return;
    case 'membership':
      visitor.onMembership(membershipIn(record.payload));
      return;
    case 'entry': {
      const entry = entryOf(record.payload);
      const { index, term } = entry;
      visitor.onEntry({ index, term, offset, bytes: record.bytes, tag: tagOf(entry) });
    }
  }
}
