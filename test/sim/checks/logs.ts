/**
 * Verifies log matching: an entry's term and index decide its content and the entry before
 * it, on whichever disk it is written (Raft figure 3). By induction over the entries this
 * makes two logs equal up to any entry that they have in common.
 *
 * Not here: whether what is written may be written, and what a witness keeps without data.
 */

import type { Entry, Term } from '../../../src/consensus/core/types.ts';
import { Violation } from '../violation.ts';

interface Known {
  readonly entry: Entry;
  readonly before: Term;
}

export function isSame(a: Entry, b: Entry): boolean {
  if (a === b) return true;
  return a.kind === b.kind && Buffer.compare(a.data, b.data) === 0;
}

export class Logs {
  /** By index, one for each term in which an entry was written there. */
  readonly #known: (Known[] | undefined)[] = [];

  /** @param before the term of the entry in front of `entries` */
  stored(entries: readonly Entry[], before: Term): void {
    let previous = before;
    for (const entry of entries) {
      this.#check(entry, previous);
      previous = entry.term;
    }
  }

  #check(entry: Entry, before: Term): void {
    let here = this.#known[entry.index];
    if (here === undefined) {
      here = [];
      this.#known[entry.index] = here;
    }
    const known = here.find((one) => one.entry.term === entry.term);
    if (known === undefined) here.push({ entry, before });
    else if (known.before !== before || !isSame(known.entry, entry)) {
      const text = `entry ${entry.term}/${entry.index} is not the same everywhere`;
      throw new Violation('log matching', text);
    }
  }
}
