/**
 * The storage that transcripts assume: a log in memory whose place before the first entry
 * keeps its term, and a state that only moves forward.
 */

import { type LogView, limitBytes } from '../../src/consensus/core/log/log-view.ts';
import type {
  Entry,
  EntryId,
  LogIndex,
  SnapshotMark,
  Term,
} from '../../src/consensus/core/types.ts';

/** What the storage answers instead of doing what it was told; printed as it is. */
export class RefusedError extends Error {}

export class TranscriptStorage implements LogView {
  /** Where the log begins; the entry itself is gone. */
  #base: EntryId = { index: 0, term: 0 };
  #entries: readonly Entry[] = [];
  /** Index of the state that was installed last. */
  #installed: LogIndex = 0;

  get firstIndex(): LogIndex {
    return this.#base.index + 1;
  }

  get lastIndex(): LogIndex {
    return this.#base.index + this.#entries.length;
  }

  get all(): readonly Entry[] {
    return this.#entries;
  }

  termAt(index: LogIndex): Term | undefined {
    if (index === this.#base.index) return this.#base.term;
    return this.#entries[index - this.firstIndex]?.term;
  }

  entries(from: LogIndex, to: LogIndex, bytesMax: number): readonly Entry[] {
    return limitBytes(this.#entries.slice(from - this.firstIndex, to - this.firstIndex), bytesMax);
  }

  /** Entries replace whatever stands at their indexes and after. */
  append(entries: readonly Entry[]): void {
    const kept = entries.filter(({ index }) => index >= this.firstIndex);
    const first = kept[0];
    if (first === undefined) return;
    if (first.index > this.lastIndex + 1) {
      throw new Error(`an entry is missing between ${this.lastIndex} and ${first.index}`);
    }
    this.#entries = [...this.#entries.slice(0, first.index - this.firstIndex), ...kept];
  }

  /** The log becomes the state, and nothing after it. */
  install(mark: SnapshotMark): void {
    if (this.#installed !== 0 && this.#installed >= mark.index) {
      throw new RefusedError('requested index is older than the existing snapshot');
    }
    this.#installed = mark.index;
    this.#base = { index: mark.index, term: mark.term };
    this.#entries = [];
  }

  /** Drops the entries up to `index`, whose term stays known. */
  compact(index: LogIndex): void {
    if (index <= this.#base.index) {
      throw new RefusedError('requested index is unavailable due to compaction');
    }
    const term = this.termAt(index);
    if (term === undefined) throw new Error(`${index} lies beyond the log's end ${this.lastIndex}`);
    this.#entries = this.#entries.slice(index - this.#base.index);
    this.#base = { index, term };
  }
}
