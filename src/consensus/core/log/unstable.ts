/**
 * The tail of the log that is not yet known to be durable, and a state mark
 * that is being installed.
 *
 * Work is handed to the storage in order, and is remembered as in progress so
 * that it is handed out once. Entries leave when the storage reports the very
 * entry durable, by index *and* term: an answer for an entry that was replaced
 * in the meantime counts for nothing (the ABA race of asynchronous writes).
 */

import { assert } from '../../../errors.ts';
import type { Entry, EntryId, LogIndex, SnapshotMark, Term } from '../types.ts';

const NONE: readonly Entry[] = [];

export class Unstable {
  /** Index of `entries[0]`, or of the next entry when there is none. */
  #offset: LogIndex;
  #entries: readonly Entry[] = NONE;
  /** Whether somebody else has the very array, so that it is copied before it grows. */
  #isShared = true;
  /** First entry that was not yet handed to the storage. */
  #offsetInProgress: LogIndex;
  #snapshot: SnapshotMark | undefined;
  #snapshotInProgress = false;

  constructor(offset: LogIndex) {
    this.#offset = offset;
    this.#offsetInProgress = offset;
  }

  get offset(): LogIndex {
    return this.#offset;
  }

  get snapshot(): SnapshotMark | undefined {
    return this.#snapshot;
  }

  /** First index, if a pending state mark decides it. */
  get firstIndex(): LogIndex | undefined {
    return this.#snapshot === undefined ? undefined : this.#snapshot.index + 1;
  }

  get lastIndex(): LogIndex | undefined {
    if (this.#entries.length > 0) return this.#offset + this.#entries.length - 1;
    return this.#snapshot?.index;
  }

  termAt(index: LogIndex): Term | undefined {
    if (index < this.#offset) {
      return this.#snapshot?.index === index ? this.#snapshot.term : undefined;
    }
    return this.#entries[index - this.#offset]?.term;
  }

  /** Entries of `[from, to)`; both must lie within what is held. */
  slice(from: LogIndex, to: LogIndex): readonly Entry[] {
    assert(from >= this.#offset, 'unstable entries were read below their start');
    assert(to <= this.#offset + this.#entries.length, 'unstable entries were read past their end');
    return this.#shared(from - this.#offset, to - this.#offset);
  }

  /** In the usual case, all of them, nothing is copied. */
  #shared(start: number, end: number): readonly Entry[] {
    if (start === end) return NONE;
    if (start > 0 || end < this.#entries.length) return this.#entries.slice(start, end);
    this.#isShared = true;
    return this.#entries;
  }

  /** Entries that the storage was not yet given. */
  get nextEntries(): readonly Entry[] {
    return this.#shared(this.#offsetInProgress - this.#offset, this.#entries.length);
  }

  get hasEntries(): boolean {
    return this.#entries.length > 0;
  }

  get nextSnapshot(): SnapshotMark | undefined {
    return this.#snapshotInProgress ? undefined : this.#snapshot;
  }

  /** All that `nextEntries` and `nextSnapshot` gave is now with the storage. */
  acceptInProgress(): void {
    this.#offsetInProgress = this.#offset + this.#entries.length;
    if (this.#snapshot !== undefined) this.#snapshotInProgress = true;
  }

  /** Entries up to `id` are durable, if `id` is still the entry held there. */
  stableTo(id: EntryId): void {
    if (id.index < this.#offset || this.termAt(id.index) !== id.term) return;
    const count = id.index + 1 - this.#offset;
    const isAll = count === this.#entries.length;
    this.#hold(isAll ? NONE : this.#entries.slice(count), isAll);
    this.#offset = id.index + 1;
    this.#offsetInProgress = Math.max(this.#offsetInProgress, this.#offset);
  }

  snapshotStableTo(index: LogIndex): void {
    if (this.#snapshot?.index !== index) return;
    this.#snapshot = undefined;
    this.#snapshotInProgress = false;
  }

  /** The log becomes the state at `mark` and nothing after it. */
  restore(mark: SnapshotMark): void {
    this.#offset = mark.index + 1;
    this.#offsetInProgress = this.#offset;
    this.#hold(NONE, true);
    this.#snapshot = mark;
    this.#snapshotInProgress = false;
  }

  /** Appends, replacing whatever stood at or after the first new index. */
  truncateAndAppend(entries: readonly Entry[]): void {
    const first = (entries[0] as Entry).index;
    if (first <= this.#offset) {
      this.#hold(entries, true);
      this.#offset = first;
      this.#offsetInProgress = first;
      return;
    }
    const kept = first - this.#offset;
    if (kept < this.#entries.length) {
      this.#hold(this.#entries.slice(0, kept), false);
      // What was with the storage from `first` on is replaced and must go there again.
      this.#offsetInProgress = Math.min(this.#offsetInProgress, first);
    }
    this.#append(entries);
  }

  #append(entries: readonly Entry[]): void {
    if (this.#isShared) this.#hold(this.#entries.slice(), false);
    const own = this.#entries as Entry[];
    for (const entry of entries) own.push(entry);
  }

  #hold(entries: readonly Entry[], isShared: boolean): void {
    this.#entries = entries;
    this.#isShared = isShared;
  }
}
