/**
 * Applies committed batches to the volumes of a follower, each as it comes.
 *
 * When the disk is not what it must be, or is full, the batch is taken into the index
 * all the same, and every place it names is reconciled (safety rules 9 and 11).
 */

import { setTimeout } from 'node:timers/promises';
import { MailraftError, systemCode } from '../../errors.ts';
import { type ChunkEntries, readChunk } from '../chunk-entries.ts';
import type { Change, FileChange } from '../command/change.ts';
import type { Parts } from '../parts.ts';
import { type FetchContent, Reconciler } from '../settle/reconcile.ts';
import { hasContentAt, keepUnknown } from '../settle/unknown.ts';
import { Window } from '../settle/window.ts';
import type { VolumeTree } from '../volume/volume-tree.ts';
import { CarryOut } from './carry-out.ts';
import type { ChunkSource } from './content.ts';
import { Drift, type Slot } from './drift.ts';

/** A full disk is tried again after so long. */
const SPACE_RETRY_MS = 1000;

export class Follow {
  readonly #parts: Parts;
  readonly #chunks: ChunkEntries;
  readonly #carryOut: CarryOut;
  /** Peers are asked for what the journal does not have. */
  readonly #fetch: FetchContent;

  constructor(parts: Parts, chunks: ChunkEntries, fetch: FetchContent) {
    this.#parts = parts;
    this.#chunks = chunks;
    this.#fetch = fetch;
    const { index, local, stager } = parts;
    this.#carryOut = new CarryOut({
      index,
      local,
      stager,
      chunks: (chunk) => chunks.find(chunk),
    });
  }

  /** Applies one entry, in the open layer of the index. */
  async apply(changes: readonly Change[], entryIndex: number): Promise<void> {
    const { index, trees } = this.#parts;
    const window = new Window();
    let isTroubled = false;
    for (const change of changes) {
      if (change.kind === 'chunk') this.#chunks.add(change.hash, entryIndex);
      else if (isTroubled) window.advance(index, change, entryIndex);
      else isTroubled = !(await this.#carry(change, window));
    }
    index.settleSums();
    if (isTroubled) {
      this.#addSlots(window, changes);
      await this.#reconcile(window, entryIndex);
    } else this.#carryOut.finish();
    for (const change of changes) if (change.kind === 'put') this.#chunks.use(change.chunks);
    for (const tree of trees) tree.release();
  }

  /** Carries one change out; false when the disk is in the way. */
  async #carry(change: FileChange, window: Window): Promise<boolean> {
    const effect = this.#parts.index.apply(change);
    try {
      const tree = this.#treeOf(change.volume);
      await this.#carryOut.carryOut(tree, change, effect);
      tree.releaseIfMany();
      return true;
    } catch (error) {
      if (!this.#isTrouble(error)) throw error;
      this.#tellTrouble(error);
      for (const slot of CarryOut.slotsOf(effect)) window.addSlot(slot);
      return false;
    }
  }

  #isTrouble(error: unknown): boolean {
    const code = systemCode(error);
    return error instanceof Drift || code === 'ENOSPC' || code === 'EDQUOT';
  }

  #tellTrouble(error: unknown): void {
    const { port, trees } = this.#parts;
    if (!(error instanceof Drift)) {
      port.onEvent({ kind: 'waiting', reason: (error as Error).message });
      return;
    }
    for (const tree of trees) {
      const slots = error.slots.filter(({ volume }) => volume === tree.number);
      const paths = slots.map((slot) => this.#pathOf(slot));
      if (paths.length > 0) port.onEvent({ kind: 'drift', volume: tree.name, paths });
    }
  }

  /** What came before the trouble stands as it must; its places are looked at all the same. */
  #addSlots(window: Window, changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'chunk') continue;
      const record = this.#parts.index.find(change.volume, change.id);
      if (record !== undefined) window.addSlot({ volume: change.volume, ...record });
    }
  }

  async #reconcile(window: Window, entryIndex: number): Promise<void> {
    for (;;) {
      try {
        for (const tree of this.#parts.trees) {
          await this.#reconcileVolume(tree, window, entryIndex);
        }
        return;
      } catch (error) {
        const code = systemCode(error);
        if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
        await setTimeout(SPACE_RETRY_MS);
      }
    }
  }

  async #reconcileVolume(tree: VolumeTree, window: Window, entryIndex: number): Promise<void> {
    const { index, local, stager, port } = this.#parts;
    const slots = window.slots.filter(({ volume }) => volume === tree.number);
    if (slots.length === 0) return;
    this.#keepUnknown(tree, slots);
    const fromWindow: ChunkSource = ({ hash }) =>
      readChunk(port, hash, window.entryOf(hash) ?? entryIndex);
    const reconciler = new Reconciler({
      tree,
      index,
      local,
      stager,
      chunks: [fromWindow, (chunk) => this.#chunks.find(chunk)],
      fetch: this.#fetch,
      isSuspect: () => false,
    });
    await reconciler.reconcile(slots);
  }

  /** Whoever wrote here wrote something that nobody else has, perhaps. */
  #keepUnknown(tree: VolumeTree, slots: readonly Slot[]): void {
    const { index, local, salvage: store, state, port } = this.#parts;
    const epoch = state.current.tenure?.record.term ?? 0;
    const reason = 'changed here while another node was primary';
    const salvage = store.begin(epoch, reason);
    const survives = (content: Buffer, names: readonly Buffer[]) =>
      hasContentAt(index, tree.number, names, content);
    for (const { parent, name } of slots) {
      const dir = tree.findDirectory(index, parent);
      const stat = dir === undefined ? undefined : tree.stat({ dir, name });
      if (dir === undefined || stat === undefined) continue;
      const names = [...index.pathOf(tree.number, parent), name];
      if (tree.exclusions.excludes(names, stat.type === 'directory')) continue;
      keepUnknown(
        { tree, index, local, salvage, reason, isSuspect: () => false, survives },
        { place: { dir, name }, names, stat },
      );
    }
    const manifest = salvage.finish();
    if (manifest !== undefined) port.onEvent({ kind: 'salvaged', manifest });
  }

  #treeOf(volume: number): VolumeTree {
    const tree = this.#parts.trees.find(({ number }) => number === volume);
    if (tree === undefined)
      throw new MailraftError('INVARIANT', `no volume ${volume} on this node`);
    return tree;
  }

  #pathOf({ volume, parent, name }: Slot): string {
    return [...this.#parts.index.pathOf(volume, parent), name].join('/');
  }
}
