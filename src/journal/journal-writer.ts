/**
 * Owns the segment files: recovers the log from them, appends batches, reads
 * entries back, drops old segments. Synchronous; runs in the journal's thread.
 *
 * - Writing always goes to a segment that this process began: what an earlier run
 *   left is read, never appended to.
 * - A batch that replaces entries begins a new segment, whose head cuts the log; the
 *   replaced entries are set aside first (they may be the only copy of what a
 *   deposed primary captured).
 * - All batches that wait are written together and made durable by one fdatasync.
 * - Damaged entries can be had again from the others, terms, votes and promises can
 *   not: those, configurations, and the heads of segments with them, are written twice.
 */

import { join } from 'node:path';
import type { EntryId, LogIndex, PlacedMembership, SnapshotMark } from '../consensus/core/types.ts';
import { readRecord } from '../consensus/host/entry-record.ts';
import type { StorageBatch } from '../consensus/host/storage.ts';
import { assert, MailraftError, messageOf, systemCode } from '../errors.ts';
import { BATCH_BODY_BYTES_MAX, BATCH_HEADER_BYTES, batchHeader, batchTrailer } from './batch.ts';
import type { JournalFiles } from './files.ts';
import { LogMap } from './log-map.ts';
import { MuteMark } from './mute-mark.ts';
import { encodeHardState, encodeMembership, encodePromise, encodeSegmentHead } from './record.ts';
import { type EntryTag, scanSegment } from './scan.ts';
import { JOURNAL_VERSION, ordinalOf, type SegmentHead, segmentName } from './segment-head.ts';
import { TailStore } from './tails.ts';

/** An entry whose record lies in the `records` of its batch. */
export interface WrittenEntry extends EntryId {
  readonly tag: EntryTag;
  /** Size of its record. */
  readonly bytes: number;
}

/** A batch with its entries encoded: what the thread is given. */
export interface WriteBatch extends Omit<StorageBatch, 'entries'> {
  readonly entries: readonly WrittenEntry[];
  /** The records of the entries, one after the other. */
  readonly records: Uint8Array;
}

export interface WriterOptions {
  readonly directory: string;
  /** A segment is closed when it has grown beyond this. */
  readonly segmentBytes: number;
  /** First byte of the commands whose indexes the log remembers. */
  readonly tag: number;
}

/** The disk is full. What is not done left nothing behind and may be tried again. */
export class NoSpace extends Error {
  /** How many of the batches given are written, and durable where they had to be. */
  readonly done: number;

  constructor(done: number, cause: unknown) {
    super(`no space for the journal: ${systemCode(cause)}`, { cause });
    this.done = done;
  }
}

/** How often the head of a segment is written. */
const COPIES = 2;

interface OpenSegment {
  readonly ordinal: number;
  readonly fd: number;
  bytes: number;
  sequence: number;
}

export class JournalWriter {
  readonly #files: JournalFiles;
  readonly #options: WriterOptions;
  readonly #tails: TailStore;
  readonly #muteMark: MuteMark;
  readonly #map: LogMap;
  readonly #readers = new Map<number, number>();
  readonly #bytes = new Map<number, number>();
  #open: OpenSegment | undefined;
  #lastOrdinal = 0;

  /** Recovers what is in the directory, which is made if it is missing. */
  constructor(files: JournalFiles, options: WriterOptions) {
    this.#files = files;
    this.#options = options;
    this.#map = new LogMap(options.tag);
    files.makeDirectory(options.directory);
    this.#tails = new TailStore(files, join(options.directory, 'tails'));
    this.#muteMark = new MuteMark(files, options.directory);
    this.#recover();
  }

  get log(): LogMap {
    return this.#map;
  }

  get tails(): TailStore {
    return this.#tails;
  }

  /** Whether the log may lack what was acknowledged of it; outlives a restart. */
  get isMuted(): boolean {
    return this.#muteMark.isSet;
  }

  setMuted(isMuted: boolean): void {
    this.#muteMark.set(isMuted);
  }

  /** Bytes of all segment files. */
  get bytesTotal(): number {
    return [...this.#bytes.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /**
   * Writes the batches in order and makes them durable where they must be.
   *
   * @throws {NoSpace} when the disk is full
   * @throws {MailraftError} `STORAGE_FAILED` when what is on disk is unknown
   */
  write(batches: readonly WriteBatch[]): void {
    let done = 0;
    try {
      while (done < batches.length) {
        const group = this.#nextGroup(batches, done);
        this.#writeGroup(group);
        done += group.length;
      }
    } catch (cause) {
      if (cause instanceof MailraftError) throw cause;
      if (!isSpaceFault(cause)) throw failed(cause);
      throw new NoSpace(done, cause);
    }
  }

  /** Records of the entries in `[from, to)`, within `bytesMax`, at least one. */
  read(from: LogIndex, to: LogIndex, bytesMax: number): readonly Buffer[] {
    return this.#map.locate(from, to, bytesMax).map(({ index, ordinal, offset, bytes }) => {
      const record = this.#files.read(this.#readerOf(ordinal), offset, bytes);
      try {
        readRecord(record, 0);
      } catch (cause) {
        throw this.#damaged(`entry ${index} at byte ${offset} of ${segmentName(ordinal)}`, cause);
      }
      return record;
    });
  }

  #damaged(what: string, cause: unknown): MailraftError {
    const remedy = 'start this node again, and it fetches from the others what is lost';
    const text = `${what} in ${this.#options.directory} is damaged: ${remedy}`;
    return new MailraftError('DATA_DAMAGED', text, { cause });
  }

  /** Removes segments that hold only entries below `floor`. */
  compact(floor: LogIndex): void {
    for (const ordinal of this.#map.dropBelow(floor)) {
      this.#removeSegment(ordinal);
      // One after the other: where an older one came back after a crash, and a newer one
      // did not, entries would seem to be lost between them.
      this.#files.syncDirectory(this.#options.directory);
    }
  }

  close(): void {
    for (const fd of this.#readers.values()) this.#files.close(fd);
    this.#readers.clear();
    if (this.#open !== undefined) this.#files.close(this.#open.fd);
    this.#open = undefined;
  }

  #recover(): void {
    const { directory } = this.#options;
    const ordinals = this.#files
      .list(directory)
      .map(ordinalOf)
      .filter((ordinal) => ordinal !== undefined)
      .sort((a, b) => a - b);
    for (const ordinal of ordinals) {
      const bytes = this.#files.readAll(this.#pathOf(ordinal));
      this.#bytes.set(ordinal, bytes.length);
      this.#map.beginScan(ordinal);
      scanSegment(bytes, this.#map);
      this.#lastOrdinal = ordinal;
    }
    if (this.#map.damage === undefined) return;
    if (this.#map.hardState.term === 0) {
      throw new MailraftError(
        'DATA_DAMAGED',
        `the journal in ${directory} does not tell any more in which terms this node voted, ` +
          'so it must not take part: add the node anew, with an empty data directory',
      );
    }
    // Before anything is written that could hide what was found.
    this.setMuted(true);
  }

  /** Batches from `start` on that go into one frame; begins a segment if the first needs one. */
  #nextGroup(batches: readonly WriteBatch[], start: number): readonly WriteBatch[] {
    const first = batches[start] as WriteBatch;
    const isFull = (this.#open?.bytes ?? 0) >= this.#options.segmentBytes;
    const needsSegment = this.#open === undefined || isFull;
    if (needsSegment || replaces(first, this.#map.lastIndex)) this.#beginFor(first);
    let { lastIndex } = this.#map;
    let bytes = 0;
    let end = start;
    for (const batch of batches.slice(start)) {
      bytes += batch.records.length;
      const isFirst = end === start;
      if (!isFirst && (replaces(batch, lastIndex) || bytes > BATCH_BODY_BYTES_MAX)) break;
      lastIndex = batch.entries.at(-1)?.index ?? lastIndex;
      end += 1;
    }
    return batches.slice(start, end);
  }

  #beginFor({ snapshot, entries }: WriteBatch): void {
    const map = this.#map;
    const first = entries[0];
    const index = first === undefined ? map.lastIndex : first.index - 1;
    const term = map.termAt(index);
    assert(snapshot !== undefined || term !== undefined, `entry ${index + 1} has none before it`);
    this.#setAside(snapshot === undefined ? index + 1 : map.hardState.commit + 1);
    const base = snapshot ?? { index, term: term ?? 0 };
    this.#begin({
      version: JOURNAL_VERSION,
      ordinal: this.#lastOrdinal + 1,
      base: { index: base.index, term: base.term },
      isReset: snapshot !== undefined,
      // Of before the batch: its commit index may speak of entries that come after this.
      hardState: map.hardState,
      promiseMs: map.promiseMs,
      placed: snapshot === undefined ? map.placed : placedBy(snapshot),
    });
  }

  /** Keeps the entries from `first` on, which are about to be replaced. */
  #setAside(first: LogIndex): void {
    const from = Math.max(first, this.#map.base.index + 1);
    if (from > this.#map.lastIndex) return;
    this.#tails.add(this.read(from, this.#map.lastIndex + 1, Number.POSITIVE_INFINITY));
  }

  #begin(head: SegmentHead): void {
    if (this.#open !== undefined) this.#files.close(this.#open.fd);
    this.#open = undefined;
    const fd = this.#files.create(this.#pathOf(head.ordinal));
    const open = { ordinal: head.ordinal, fd, bytes: 0, sequence: 0 };
    try {
      for (let copy = 0; copy < COPIES; copy += 1) this.#append(open, [encodeSegmentHead(head)]);
      this.#sync(fd);
      // The name must be durable before anything in the file is acknowledged.
      this.#files.syncDirectory(this.#options.directory);
    } catch (cause) {
      this.#files.close(fd);
      this.#removeSegment(head.ordinal);
      throw cause;
    }
    this.#open = open;
    this.#lastOrdinal = head.ordinal;
    this.#map.onHead(head);
    // What was replaced by a state, or has no head that could be read.
    const needed = this.#map.ordinals;
    for (const ordinal of [...this.#bytes.keys()]) {
      if (!needed.includes(ordinal)) this.#removeSegment(ordinal);
    }
  }

  #writeGroup(group: readonly WriteBatch[]): void {
    const open = this.#open as OpenSegment;
    const parts = group.flatMap(partsOf);
    const start = { bytes: open.bytes, sequence: open.sequence };
    try {
      if (parts.length > 0) this.#append(open, parts);
      const vows = this.#vowsOf(group);
      if (vows.length > 0) this.#append(open, vows);
    } catch (cause) {
      if (isSpaceFault(cause)) this.#cutBack(open, start);
      throw cause;
    }
    if (group.some((batch) => batch.mustSync)) this.#sync(open.fd);
    this.#learn(group, start.bytes + BATCH_HEADER_BYTES);
  }

  /**
   * What nobody else could tell this node again: its terms, votes and promises; and the
   * configuration, whose entry may be compacted.
   */
  #vowsOf(group: readonly WriteBatch[]): readonly Uint8Array[] {
    const { term, vote } = this.#map.hardState;
    const last = group.findLast(({ hardState }) => hardState !== undefined)?.hardState;
    const isVow = last !== undefined && (last.term !== term || last.vote !== vote);
    const promises = group.flatMap(({ promiseMs }) => promiseMs ?? []);
    const placed = group.flatMap(({ membership }) => membership ?? []);
    return [
      ...(isVow ? [encodeHardState(last)] : []),
      ...promises.map(encodePromise),
      ...placed.map(encodeMembership),
    ];
  }

  /** Appends one frame around `parts`. */
  #append(open: OpenSegment, parts: readonly Uint8Array[]): void {
    const bodyBytes = parts.reduce((sum, part) => sum + part.length, 0);
    const { sequence } = open;
    const header = batchHeader({ bodyBytes, sequence });
    const trailer = batchTrailer(sequence);
    this.#files.append(open.fd, [header, ...parts, trailer]);
    open.sequence += 1;
    open.bytes += header.length + bodyBytes + trailer.length;
    this.#bytes.set(open.ordinal, open.bytes);
  }

  #cutBack(open: OpenSegment, to: { readonly bytes: number; readonly sequence: number }): void {
    try {
      this.#files.truncate(open.fd, to.bytes);
    } catch (cause) {
      throw failed(cause);
    }
    open.bytes = to.bytes;
    open.sequence = to.sequence;
    this.#bytes.set(open.ordinal, to.bytes);
  }

  #sync(fd: number): void {
    try {
      this.#files.sync(fd);
    } catch (cause) {
      // What a failed fsync left on disk nobody knows, whatever its code: never try again.
      throw failed(cause);
    }
  }

  /** Tells the map what was written; the parts lie as `partsOf` put them. */
  #learn(group: readonly WriteBatch[], bodyStart: number): void {
    let offset = bodyStart;
    for (const batch of group) {
      for (const { index, term, tag, bytes } of batch.entries) {
        this.#map.onEntry({ index, term, tag, bytes, offset });
        offset += bytes;
      }
      if (batch.hardState !== undefined) {
        this.#map.onHardState(batch.hardState);
        offset += encodeHardState(batch.hardState).length;
      }
      if (batch.promiseMs !== undefined) {
        this.#map.onPromise(batch.promiseMs);
        offset += encodePromise(batch.promiseMs).length;
      }
      if (batch.membership !== undefined) {
        this.#map.onMembership(batch.membership);
        offset += encodeMembership(batch.membership).length;
      }
    }
  }

  #pathOf(ordinal: number): string {
    return join(this.#options.directory, segmentName(ordinal));
  }

  #readerOf(ordinal: number): number {
    const known = this.#readers.get(ordinal);
    if (known !== undefined) return known;
    const fd = this.#files.openForReading(this.#pathOf(ordinal));
    this.#readers.set(ordinal, fd);
    return fd;
  }

  #removeSegment(ordinal: number): void {
    const reader = this.#readers.get(ordinal);
    if (reader !== undefined) this.#files.close(reader);
    this.#readers.delete(ordinal);
    this.#bytes.delete(ordinal);
    this.#files.remove(this.#pathOf(ordinal));
  }
}

/** Whether the batch puts something in the place of what the log holds. */
function replaces({ snapshot, entries }: WriteBatch, lastIndex: LogIndex): boolean {
  const first = entries[0];
  return snapshot !== undefined || (first !== undefined && first.index <= lastIndex);
}

/** A state carries a configuration as of its index, or newer. */
function placedBy({ index, membership, membershipIndex }: SnapshotMark): PlacedMembership {
  return { index: membershipIndex ?? index, membership };
}

function partsOf({ records, hardState, promiseMs, membership }: WriteBatch): Uint8Array[] {
  const parts: Uint8Array[] = [];
  if (records.length > 0) parts.push(records);
  if (hardState !== undefined) parts.push(encodeHardState(hardState));
  if (promiseMs !== undefined) parts.push(encodePromise(promiseMs));
  if (membership !== undefined) parts.push(encodeMembership(membership));
  return parts;
}

function isSpaceFault(cause: unknown): boolean {
  const code = systemCode(cause);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

function failed(cause: unknown): MailraftError {
  const text = `the journal could not be written: ${messageOf(cause)}`;
  return new MailraftError('STORAGE_FAILED', text, { cause });
}
