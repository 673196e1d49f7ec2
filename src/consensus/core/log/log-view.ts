/**
 * The port through which the core sees the log that is already durable.
 *
 * The core reads it synchronously and never writes it: new entries leave the
 * core as append work (ready.ts), and show up here once they are stored.
 */

import type { Entry, LogIndex, Term } from '../types.ts';

export interface LogView {
  /** First entry that can be read; entries below were compacted away. */
  readonly firstIndex: LogIndex;
  /** Last stored entry; `firstIndex - 1` when there is none. */
  readonly lastIndex: LogIndex;
  /** The term at `index`, known from `firstIndex - 1` to `lastIndex`. */
  termAt(index: LogIndex): Term | undefined;
  /**
   * Entries of `[from, to)`, at most `bytesMax` bytes of data but at least one
   * entry; `undefined` when they are not at hand. The view has then begun to
   * fetch them, and the host calls `RaftCore.entriesLoaded()` when they are.
   */
  entries(from: LogIndex, to: LogIndex, bytesMax: number): readonly Entry[] | undefined;
}

/** How many bytes an entry counts as. */
export type EntryBytes = (entry: Entry) => number;

/**
 * The longest prefix of `entries` that is within `bytesMax`, of one entry at least.
 *
 * @param entryBytes default: the bytes of its data
 */
export function limitBytes(
  entries: readonly Entry[],
  bytesMax: number,
  entryBytes: EntryBytes = dataBytes,
): readonly Entry[] {
  let bytes = 0;
  for (let count = 0; count < entries.length; count += 1) {
    bytes += entryBytes(entries[count] as Entry);
    if (bytes > bytesMax && count > 0) return entries.slice(0, count);
  }
  return entries;
}

export function dataBytes({ data }: Entry): number {
  return data.length;
}

/** Bytes of data in `entries`. */
export function bytesOf(entries: readonly Pick<Entry, 'data'>[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entry.data.length;
  return bytes;
}
