/**
 * The terms of a log's entries, kept as runs: a term changes rarely, so a log of
 * millions of entries has a handful.
 */

import type { EntryId, LogIndex, Term } from '../consensus/core/types.ts';
import { assert } from '../errors.ts';

export class TermRuns {
  /** The first is the base; each further one begins a run of entries at its index. */
  #runs: EntryId[];
  #last: LogIndex;

  /** @param runs the base, then runs by rising index */
  constructor(runs: readonly [EntryId, ...EntryId[]], last: LogIndex = runs[0].index) {
    this.#runs = [...runs];
    this.#last = last;
  }

  /** The entry before the first one. */
  get base(): EntryId {
    return this.#runs[0] as EntryId;
  }

  get lastIndex(): LogIndex {
    return this.#last;
  }

  get runs(): readonly [EntryId, ...EntryId[]] {
    return this.#runs as [EntryId, ...EntryId[]];
  }

  /** The term at `index`, known from the base to the last entry. */
  termAt(index: LogIndex): Term | undefined {
    if (index < this.base.index || index > this.#last) return undefined;
    return (this.#runs[this.#runAt(index)] as EntryId).term;
  }

  append(index: LogIndex, term: Term): void {
    assert(index === this.#last + 1, `entry ${index} was appended after ${this.#last}`);
    if (this.#runs.length === 1 || this.#runs.at(-1)?.term !== term) {
      this.#runs.push({ index, term });
    }
    this.#last = index;
  }

  /** Forgets all entries above `index`. */
  truncateAfter(index: LogIndex): void {
    assert(index >= this.base.index, 'the base would be cut off');
    while (this.#runs.length > 1 && (this.#runs.at(-1) as EntryId).index > index) this.#runs.pop();
    this.#last = Math.min(this.#last, index);
  }

  /** Forgets all entries up to `index`, which becomes the base. */
  dropThrough(index: LogIndex): void {
    const term = this.termAt(index);
    assert(term !== undefined, `the log does not reach to its new base ${index}`);
    const next = this.termAt(index + 1);
    const later = this.#runs.filter((run) => run.index > index + 1);
    this.#runs = [{ index, term }];
    if (next !== undefined) this.#runs.push({ index: index + 1, term: next });
    this.#runs.push(...later);
  }

  #runAt(index: LogIndex): number {
    let [low, high] = [0, this.#runs.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#runs[middle] as EntryId).index <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
