/**
 * Applies committed batches to the volumes of a follower, each as it comes.
 *
 * When the disk is not what it must be, or is full, the batch is taken into the index
 * all the same, and every place it names is reconciled (safety rules 9 and 11).
 */

import { MailraftError } from '../../errors.ts';
import type { ChunkEntries } from '../chunk-entries.ts';
import type { Change, FileChange, FileId } from '../command/change.ts';
import type { Parts } from '../parts.ts';
import { isFull } from '../problems.ts';
import { type FetchContent, Reconciler } from '../settle/reconcile.ts';
import { hasContentAt, keepUnknown } from '../settle/unknown.ts';
import { Window } from '../settle/window.ts';
import type { Checked } from '../status.ts';
import type { VolumeTree } from '../volume/volume-tree.ts';
import { CarryOut } from './carry-out.ts';
import { ChunkMissing, type ChunkSource } from './content.ts';
import { Drift, type Slot } from './drift.ts';

export class Follow {
  readonly #parts: Parts;
  readonly #chunks: ChunkEntries;
  readonly #carryOut: CarryOut;
  /** Peers are asked for what the journal does not have. */
  readonly #fetch: FetchContent;
  #checked: Checked = { index: 0, atMs: 0, files: 0 };

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

  /** How much of what was applied was looked at on the disk afterwards. */
  get checked(): Checked {
    return this.#checked;
  }

  /** Applies one entry, in the open layer of the index. */
  async apply(changes: readonly Change[], entryIndex: number): Promise<void> {
    const { index, trees } = this.#parts;
    const window = new Window();
    let isTroubled = false;
    this.#chunks.add(changes, entryIndex);
    for (const change of changes) {
      if (change.kind === 'chunk') continue;
      if (isTroubled) window.advance(index, change, entryIndex);
      else isTroubled = !(await this.#carry(change, window));
    }
    index.settleSums();
    if (!isTroubled) isTroubled = !this.#finish(changes, entryIndex);
    if (isTroubled) {
      this.#carryOut.forget();
      this.#addSlots(window, changes);
      await this.#parts.problems.untilRoom('apply', () => this.#reconcile(window, entryIndex));
    }
    this.#chunks.passed(changes);
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
      if (!isTrouble(error)) throw error;
      this.#tellTrouble(error);
      for (const slot of CarryOut.slotsOf(effect)) window.addSlot(slot);
      return false;
    }
  }

  /** Ends an entry without trouble: what it wrote must look as it is to. */
  #finish(changes: readonly Change[], entryIndex: number): boolean {
    try {
      this.#carryOut.finish();
      let files = 0;
      for (const volume of new Set(changes.flatMap((change) => volumeOf(change)))) {
        files += this.#carryOut.check(this.#treeOf(volume), idsOf(changes, volume));
      }
      const checked = this.#checked.files + files;
      this.#checked = { index: entryIndex, atMs: Date.now(), files: checked };
      return true;
    } catch (error) {
      if (!isTrouble(error)) throw error;
      this.#tellTrouble(error);
      return false;
    }
  }

  #tellTrouble(error: unknown): void {
    const { port, trees, problems } = this.#parts;
    if (isFull(error)) problems.set('apply', error);
    if (!(error instanceof Drift)) return;
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
    for (const tree of this.#parts.trees) await this.#reconcileVolume(tree, window, entryIndex);
  }

  async #reconcileVolume(tree: VolumeTree, window: Window, entryIndex: number): Promise<void> {
    const { index, local, stager } = this.#parts;
    const slots = window.slots.filter(({ volume }) => volume === tree.number);
    if (slots.length === 0) return;
    this.#keepUnknown(tree, slots, window);
    const fromWindow: ChunkSource = ({ hash }) =>
      this.#chunks.contents.find(hash, window.entryOf(hash) ?? entryIndex);
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
  #keepUnknown(tree: VolumeTree, slots: readonly Slot[], window: Window): void {
    const { index, local, salvage: store, state, port } = this.#parts;
    const epoch = state.current.tenure?.record.term ?? 0;
    const reason = 'changed here while another node was primary';
    const salvage = store.begin(epoch, reason);
    const survives = (content: Buffer, names: readonly Buffer[]) =>
      hasContentAt(index, tree.number, names, content);
    const hadDirectory = (name: Buffer) => window.hasDirectory(name);
    const about = { tree, index, local, salvage, reason, isThere: () => true };
    const parts = { ...about, isSuspect: () => false, survives, hadDirectory };
    try {
      for (const { parent, name } of slots) {
        const dir = tree.findDirectory(index, parent);
        const stat = dir === undefined ? undefined : tree.stat({ dir, name });
        if (dir === undefined || stat === undefined) continue;
        const names = [...index.pathOf(tree.number, parent), name];
        if (tree.exclusions.excludes(names, stat.type === 'directory')) continue;
        keepUnknown(parts, { place: { dir, name }, names, stat });
      }
      const manifest = salvage.finish();
      if (manifest !== undefined) port.onEvent({ kind: 'salvaged', manifest });
    } catch (error) {
      salvage.discard();
      throw error;
    }
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

/** The disk is not as it must be, is full, or the journal has not the bytes. */
function isTrouble(error: unknown): boolean {
  return error instanceof Drift || error instanceof ChunkMissing || isFull(error);
}

function volumeOf(change: Change): number[] {
  return change.kind === 'chunk' ? [] : [change.volume];
}

/** What an entry acted on in a volume. */
function idsOf(changes: readonly Change[], volume: number): ReadonlySet<FileId> {
  const ids = changes.flatMap((change) =>
    change.kind !== 'chunk' && change.volume === volume ? [change.id] : [],
  );
  return new Set(ids);
}
