/**
 * Finds places in the segments of a stopped node's journal and spoils them, as a crash
 * or a failing disk would.
 */

import { appendFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RECORD_HEADER_BYTES, readRecord } from '../../src/consensus/host/entry-record.ts';
import { isMailraftError } from '../../src/errors.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_TRAILER_BYTES,
  findBatchHeader,
} from '../../src/journal/batch.ts';

interface BatchAt {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  /** Where the records of its entries begin. */
  readonly entries: readonly number[];
}

export function segmentsIn(journal: string): readonly string[] {
  return readdirSync(journal)
    .filter((name) => name.endsWith('.segment'))
    .sort()
    .map((name) => join(journal, name));
}

/** Cuts the last batch in its middle. */
export function tear(journal: string): void {
  const last = batchesIn(journal).at(-1);
  if (last === undefined) throw new Error(`no batch in ${journal}`);
  truncateSync(last.path, Math.floor((last.start + last.end) / 2));
}

/** Appends fewer bytes than a batch begins with. */
export function litter(journal: string): void {
  const last = segmentsIn(journal).at(-1);
  if (last === undefined) throw new Error(`no segment in ${journal}`);
  appendFileSync(last, Buffer.alloc(BATCH_HEADER_BYTES - 5, 0x4d));
}

/** Changes one bit of an entry; `at` tells which of all that there are, counted from 0 to 1. */
export function flipEntry(journal: string, at: number): void {
  const places = batchesIn(journal).flatMap(({ path, entries }) =>
    entries.map((offset) => ({ path, offset })),
  );
  const place = places[Math.min(places.length - 1, Math.floor(places.length * at))];
  if (place === undefined) throw new Error(`no entry in ${journal}`);
  const bytes = readFileSync(place.path);
  const offset = place.offset + RECORD_HEADER_BYTES + 1;
  bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  writeFileSync(place.path, bytes);
}

/** Makes the beginning of every segment unreadable. */
export function behead(journal: string): void {
  for (const path of segmentsIn(journal)) {
    const [first, second] = batchesIn(journal).filter((batch) => batch.path === path);
    if (first === undefined || second === undefined) continue;
    writeFileSync(path, readFileSync(path).fill(0, first.start, second.end));
  }
}

function batchesIn(journal: string): readonly BatchAt[] {
  return segmentsIn(journal).flatMap((path) => batchesOf(path, readFileSync(path)));
}

/** The whole batches of a segment, up to where it was spoilt before. */
function batchesOf(path: string, bytes: Buffer): BatchAt[] {
  const batches: BatchAt[] = [];
  for (let start = 0; start < bytes.length; ) {
    const header = findBatchHeader(bytes, start);
    // What a crash tore before, or a test spoilt, is no part of the journal.
    if (header === undefined) break;
    const body = start + BATCH_HEADER_BYTES;
    const end = body + header.bodyBytes + BATCH_TRAILER_BYTES;
    if (end > bytes.length) break;
    const entries = entriesOf(bytes, body, body + header.bodyBytes);
    if (entries === undefined) break;
    batches.push({ path, start, end, entries });
    start = end;
  }
  return batches;
}

function entriesOf(bytes: Buffer, from: number, to: number): number[] | undefined {
  const offsets: number[] = [];
  try {
    for (let at = from; at < to; ) {
      const record = readRecord(bytes, at);
      if (record.type === 'entry') offsets.push(at);
      at += record.bytes;
    }
    return offsets;
  } catch (error) {
    if (isMailraftError(error, 'DATA_DAMAGED')) return undefined;
    throw error;
  }
}
