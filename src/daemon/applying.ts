/**
 * Hands committed entries to replication and tells the core how far they were taken.
 */

import type { ApplyWork } from '../consensus/core/ready.ts';
import type { CommittedItem } from '../replication/parts.ts';

export class Applying {
  readonly #works: ApplyWork[] = [];
  readonly #onDone: (work: ApplyWork) => void;

  /** @param onDone everything in a piece of work is applied, in the order of `take` */
  constructor(onDone: (work: ApplyWork) => void) {
    this.#onDone = onDone;
  }

  /**
   * The entries of `work` as replication takes them.
   *
   * @param ownSequence number of the own batch that became an entry, if one did
   */
  take(
    work: ApplyWork,
    ownSequence: (entry: { readonly index: number; readonly term: number }) => number | undefined,
  ): CommittedItem[] {
    this.#works.push(work);
    return work.entries.map((entry) => {
      const { index, term, kind, data } = entry;
      const own = ownSequence(entry);
      const isCommand = kind === 'command' && own === undefined;
      return { index, term, data: isCommand ? bufferOf(data) : undefined, own };
    });
  }

  /** Everything up to `index` is applied. */
  appliedTo(index: number): void {
    for (let work = this.#works[0]; work !== undefined; work = this.#works[0]) {
      if ((work.entries.at(-1)?.index ?? 0) > index) return;
      this.#works.shift();
      this.#onDone(work);
    }
  }
}

function bufferOf(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.length);
}
