/**
 * Makes files durable in batches: everything applied up to a position survives a loss
 * of power once its file systems were synced after it (safety rule 21).
 *
 * The descriptors that are synced were opened before the first write, so that an error
 * in writing anything back is told.
 */

import { syncFileSystemAsync } from '../platform/linux/files-at.ts';
import type { Parts } from './parts.ts';

export class Checkpoint {
  readonly #parts: Parts;
  readonly #flush: (sync: boolean) => Promise<void>;
  #underWay: Promise<void> | undefined;

  /** @param flush writes index and state to the store */
  constructor(parts: Parts, flush: (sync: boolean) => Promise<void>) {
    this.#parts = parts;
    this.#flush = flush;
  }

  /** Syncs everything applied by now; resolves when it survives a loss of power. */
  take(): Promise<void> {
    this.#underWay ??= this.#take().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  /** Resolves when none is under way. */
  async idle(): Promise<void> {
    await Promise.allSettled([this.#underWay]);
  }

  async #take(): Promise<void> {
    const { state, trees } = this.#parts;
    // Files up to here are on their way to the disk before the sync begins.
    const { index } = state.current.position;
    for (const tree of trees) await syncFileSystemAsync(tree.rootFd);
    state.current = { ...state.current, synced: Math.max(state.current.synced, index) };
    await this.#flush(true);
  }
}
