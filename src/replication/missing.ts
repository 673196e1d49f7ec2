/**
 * Contents that the index has and this disk has not: asked for again until they are
 * here, or the log has moved on (safety rule 15).
 */

import type { Slot } from './apply/drift.ts';
import type { ChunkEntries } from './chunk-entries.ts';
import type { Parts } from './parts.ts';
import type { FetchContent } from './settle/reconcile.ts';
import { Reconciler } from './settle/reconcile.ts';

/** Files asked for in one go. */
const FILES_MAX = 64;

export class Missing {
  readonly #parts: Parts;
  readonly #chunks: ChunkEntries;
  readonly #fetch: FetchContent;

  constructor(parts: Parts, chunks: ChunkEntries, fetch: FetchContent) {
    this.#parts = parts;
    this.#chunks = chunks;
    this.#fetch = fetch;
  }

  /** Files of all volumes that are not on this disk. */
  get count(): number {
    const { trees, local } = this.#parts;
    return trees.reduce((sum, { number }) => sum + local.missingCount(number), 0);
  }

  /** Tries to get some of them, in the open layer. */
  async fetchSome(): Promise<void> {
    const { trees, index, local, stager } = this.#parts;
    for (const tree of trees) {
      const slots: Slot[] = [];
      for await (const id of local.missing(tree.number)) {
        const record = index.find(tree.number, id);
        // Removed since: nothing lacks any more.
        if (record === undefined) local.setMissing(tree.number, id, false);
        else slots.push({ volume: tree.number, parent: record.parent, name: record.name });
        if (slots.length >= FILES_MAX) break;
      }
      if (slots.length === 0) continue;
      const chunks = [this.#chunks.find.bind(this.#chunks)];
      const parts = { tree, index, local, stager, chunks, fetch: this.#fetch };
      await new Reconciler({ ...parts, isSuspect: () => false }).reconcile(slots);
    }
  }
}
