/** A log storage in memory: durable at once, or when the test says so. */

import { type LogView, limitBytes } from '../../src/consensus/core/log/log-view.ts';
import type {
  Entry,
  HardState,
  LogIndex,
  SnapshotMark,
  Term,
} from '../../src/consensus/core/types.ts';

export class MemoryLog implements LogView {
  hardState: HardState = { term: 0, vote: '', commit: 0 };
  #base: { index: LogIndex; term: Term } = { index: 0, term: 0 };
  #entries: Entry[] = [];

  get firstIndex(): LogIndex {
    return this.#base.index + 1;
  }

  get lastIndex(): LogIndex {
    return this.#base.index + this.#entries.length;
  }

  termAt(index: LogIndex): Term | undefined {
    if (index === this.#base.index) return this.#base.term;
    return this.#entries[index - this.firstIndex]?.term;
  }

  entries(from: LogIndex, to: LogIndex, bytesMax: number): readonly Entry[] {
    const [first, last] = [from - this.firstIndex, to - this.firstIndex];
    return limitBytes(this.#entries.slice(first, last), bytesMax);
  }

  /** Entries that change the configuration. */
  get configs(): readonly Entry[] {
    return this.#entries.filter(({ kind }) => kind === 'config');
  }

  /** Stores what an append work holds. */
  store(work: {
    readonly hardState: HardState | undefined;
    readonly entries: readonly Entry[];
    readonly snapshot: SnapshotMark | undefined;
  }): void {
    if (work.snapshot !== undefined) {
      this.#base = { index: work.snapshot.index, term: work.snapshot.term };
      this.#entries = [];
    }
    const first = work.entries[0];
    if (first !== undefined) {
      this.#entries.splice(first.index - this.firstIndex);
      this.#entries.push(...work.entries);
    }
    if (work.hardState !== undefined) this.hardState = work.hardState;
  }

  /** Drops entries below `floor`. */
  compact(floor: LogIndex): void {
    const index = floor - 1;
    const term = this.termAt(index);
    if (term === undefined || index <= this.#base.index) return;
    this.#entries.splice(0, index - this.#base.index);
    this.#base = { index, term };
  }
}
