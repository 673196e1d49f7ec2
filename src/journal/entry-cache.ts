/**
 * The entries of the log that are at hand without asking the disk: the newest ones,
 * and a few ranges that were fetched for members who lag.
 */

import { limitBytes } from '../consensus/core/log/log-view.ts';
import type { Entry, LogIndex } from '../consensus/core/types.ts';

/** Ranges that were fetched and not yet used; each follower that lags reads one. */
const RANGES_MAX = 8;

export class EntryCache {
  readonly #bytesMax: number;
  /** Consecutive entries up to the last one of the log. */
  #recent: Entry[] = [];
  #bytes = 0;
  readonly #fetched: (readonly Entry[])[] = [];

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Takes over entries that were appended, in the place of any from the first one on. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    this.truncateFrom(first.index);
    for (const entry of entries) {
      this.#recent.push(entry);
      this.#bytes += entry.data.length;
    }
    this.#evict();
  }

  truncateFrom(index: LogIndex): void {
    while (this.#recent.length > 0 && (this.#recent.at(-1) as Entry).index >= index) {
      this.#bytes -= (this.#recent.pop() as Entry).data.length;
    }
    const stale = this.#fetched.filter((range) => (range.at(-1)?.index ?? 0) >= index);
    for (const range of stale) this.#fetched.splice(this.#fetched.indexOf(range), 1);
  }

  clear(): void {
    this.#recent = [];
    this.#bytes = 0;
    this.#fetched.length = 0;
  }

  /** Keeps a range that was read from disk. */
  fetched(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    this.#fetched.push(entries);
    if (this.#fetched.length > RANGES_MAX) this.#fetched.shift();
  }

  /** Entries of `[from, to)` within `bytesMax`, as many as are at hand; none if `from` is not. */
  find(from: LogIndex, to: LogIndex, bytesMax: number): readonly Entry[] {
    const recent = sliceOf(this.#recent, from, to);
    if (recent.length > 0) return limitBytes(recent, bytesMax);
    for (const range of this.#fetched) {
      const found = sliceOf(range, from, to);
      if (found.length > 0) return limitBytes(found, bytesMax);
    }
    return [];
  }

  #evict(): void {
    if (this.#bytes <= this.#bytesMax) return;
    let count = 0;
    // The last entry stays whatever its size.
    while (this.#bytes > this.#bytesMax && count < this.#recent.length - 1) {
      this.#bytes -= (this.#recent[count] as Entry).data.length;
      count += 1;
    }
    this.#recent.splice(0, count);
  }
}

function sliceOf(entries: readonly Entry[], from: LogIndex, to: LogIndex): readonly Entry[] {
  const first = entries[0];
  if (first === undefined || from < first.index || from >= first.index + entries.length) return [];
  return entries.slice(from - first.index, to - first.index);
}
