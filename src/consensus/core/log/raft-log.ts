/**
 * The whole log: what the storage holds, then the unstable tail.
 *
 * Invariant: `applied <= applying <= committed <= lastIndex`.
 */

import { assert } from '../../../errors.ts';
import type { Entry, EntryId, LogIndex, SnapshotMark, Term } from '../types.ts';
import { dataBytes, type EntryBytes, type LogView, limitBytes } from './log-view.ts';
import { Unstable } from './unstable.ts';

const NO_ENTRIES: readonly Entry[] = [];

/** How much may be handed out and not yet applied. */
export interface ApplyingLimit {
  readonly applyingBytesMax: number;
  readonly entryBytes?: EntryBytes;
}

export class RaftLog {
  readonly #view: LogView;
  readonly #applyingBytesMax: number;
  readonly #entryBytes: EntryBytes;
  readonly #onAppended: (entries: readonly Entry[]) => void;
  readonly #unstable: Unstable;
  /** Highest entry known to be durable on a quorum. */
  #committed: LogIndex;
  /** Highest entry handed out to be applied. */
  #applying: LogIndex;
  #applied: LogIndex;
  #applyingBytes = 0;
  /** More is committed than was handed out at once, or as much as may be: wait for its end. */
  #isApplyingPaused = false;

  /** @param onAppended hears of entries that were put into the log, replacing what stood there */
  constructor(
    view: LogView,
    applied: LogIndex,
    applying: ApplyingLimit,
    onAppended: (entries: readonly Entry[]) => void = () => undefined,
  ) {
    assert(applied >= view.firstIndex - 1, 'the log does not reach back to what is applied');
    this.#view = view;
    this.#applyingBytesMax = applying.applyingBytesMax;
    this.#entryBytes = applying.entryBytes ?? dataBytes;
    this.#onAppended = onAppended;
    this.#unstable = new Unstable(view.lastIndex + 1);
    this.#committed = applied;
    this.#applying = applied;
    this.#applied = applied;
  }

  get unstable(): Unstable {
    return this.#unstable;
  }

  get committed(): LogIndex {
    return this.#committed;
  }

  get applied(): LogIndex {
    return this.#applied;
  }

  get firstIndex(): LogIndex {
    return this.#unstable.firstIndex ?? this.#view.firstIndex;
  }

  get lastIndex(): LogIndex {
    return this.#unstable.lastIndex ?? this.#view.lastIndex;
  }

  get lastId(): EntryId {
    const index = this.lastIndex;
    const term = this.termAt(index);
    assert(term !== undefined, 'the last entry has no term');
    return { term, index };
  }

  /** The term at `index`; undefined when it was compacted away or lies ahead. */
  termAt(index: LogIndex): Term | undefined {
    if (index < this.firstIndex - 1 || index > this.lastIndex) return undefined;
    return this.#unstable.termAt(index) ?? this.#view.termAt(index);
  }

  matches(id: EntryId): boolean {
    return this.termAt(id.index) === id.term;
  }

  /** Whether a log that ends with `last` holds at least as much as this one (Raft §5.4.1). */
  isUpToDate(last: EntryId): boolean {
    const own = this.lastId;
    return last.term > own.term || (last.term === own.term && last.index >= own.index);
  }

  /** Entries from `from` on, within `bytesMax`; undefined while they are fetched. */
  entriesFrom(from: LogIndex, bytesMax: number): readonly Entry[] | undefined {
    if (from > this.lastIndex) return NO_ENTRIES;
    return this.slice(from, this.lastIndex + 1, bytesMax);
  }

  slice(from: LogIndex, to: LogIndex, bytesMax: number): readonly Entry[] | undefined {
    assert(from >= this.firstIndex && to <= this.lastIndex + 1, 'entries were read out of bounds');
    if (from >= to) return NO_ENTRIES;
    const offset = this.#unstable.offset;
    if (from >= offset) return limitBytes(this.#unstable.slice(from, to), bytesMax);
    const stored = this.#view.entries(from, Math.min(to, offset), bytesMax);
    if (stored === undefined || to <= offset) return stored;
    // Short of the tail's start: the byte limit was reached before it.
    if (from + stored.length < offset) return stored;
    return limitBytes([...stored, ...this.#unstable.slice(offset, to)], bytesMax);
  }

  /** Appends at the leader. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    assert(first.index > this.#committed, 'a committed entry would be replaced');
    this.#unstable.truncateAndAppend(entries);
    this.#onAppended(entries);
  }

  /**
   * Appends at a follower, if the log matches at `previous` (Raft §5.3).
   * Only a real conflict truncates: a late or repeated message removes nothing.
   *
   * @returns the last index that now matches the leader's log, or undefined
   */
  maybeAppend(
    previous: EntryId,
    entries: readonly Entry[],
    commit: LogIndex,
  ): LogIndex | undefined {
    if (!this.matches(previous)) return undefined;
    const last = previous.index + entries.length;
    let matching = 0;
    while (matching < entries.length && this.matches(entries[matching] as Entry)) matching += 1;
    if (matching < entries.length) this.append(matching > 0 ? entries.slice(matching) : entries);
    this.commitTo(Math.min(commit, last));
    return last;
  }

  /**
   * The highest index at or below `index` whose term is not above `term`: below
   * it two logs may match, above it they cannot.
   */
  findConflictByTerm(index: LogIndex, term: Term): EntryId {
    for (let at = index; at > 0; at -= 1) {
      const own = this.termAt(at);
      if (own === undefined) return { index: at, term: 0 };
      if (own <= term) return { index: at, term: own };
    }
    return { index: 0, term: 0 };
  }

  /** Commits up to `id` if it is of that term: only own-term entries by counting (Raft §5.4.2). */
  maybeCommit(id: EntryId): boolean {
    if (id.term === 0 || id.index <= this.#committed || !this.matches(id)) return false;
    this.commitTo(id.index);
    return true;
  }

  commitTo(index: LogIndex): void {
    if (index <= this.#committed) return;
    assert(index <= this.lastIndex, `commit ${index} lies beyond the log's end ${this.lastIndex}`);
    this.#committed = index;
  }

  /** Whether committed entries wait to be handed out. */
  hasNextCommitted(allowUnstable: boolean): boolean {
    if (this.#isApplyingPaused || this.#unstable.snapshot !== undefined) return false;
    return this.#applying < this.#appliableIndex(allowUnstable);
  }

  /** Committed entries to hand out next; undefined while they are fetched. */
  nextCommitted(allowUnstable: boolean): readonly Entry[] | undefined {
    if (!this.hasNextCommitted(allowUnstable)) return NO_ENTRIES;
    const bytesMax = this.#applyingBytesMax - this.#applyingBytes;
    const end = this.#appliableIndex(allowUnstable) + 1;
    const entries = this.slice(this.#applying + 1, end, bytesMax);
    return entries && limitBytes(entries, bytesMax, this.#entryBytes);
  }

  acceptApplying(entries: readonly Entry[], allowUnstable: boolean): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    this.#applying = last.index;
    this.#applyingBytes += this.#bytesOf(entries);
    const isCut = last.index < this.#appliableIndex(allowUnstable);
    this.#isApplyingPaused = isCut || this.#applyingBytes >= this.#applyingBytesMax;
  }

  /** All up to `index` is applied, with `entries` of those that were handed out. */
  appliedTo(index: LogIndex, entries: readonly Entry[]): void {
    assert(index >= this.#applied, 'the applied index went back');
    assert(index <= this.#committed, 'an entry was applied before its commit');
    this.#applied = index;
    this.#applying = Math.max(this.#applying, index);
    this.#applyingBytes = Math.max(0, this.#applyingBytes - this.#bytesOf(entries));
    this.#isApplyingPaused = this.#applyingBytes >= this.#applyingBytesMax;
  }

  restore(mark: SnapshotMark): void {
    this.#committed = mark.index;
    this.#unstable.restore(mark);
  }

  #bytesOf(entries: readonly Entry[]): number {
    let bytes = 0;
    for (const entry of entries) bytes += this.#entryBytes(entry);
    return bytes;
  }

  #appliableIndex(allowUnstable: boolean): LogIndex {
    return allowUnstable ? this.#committed : Math.min(this.#committed, this.#unstable.offset - 1);
  }
}
