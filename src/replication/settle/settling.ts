/**
 * Brings a node that may have anything on its disk to what the log says: after a
 * start, and after it was primary (safety rule 16).
 *
 * 1. `scan` looks for whatever is not surely as the index of *before* says.
 * 2. `advance` takes committed entries into the index, without touching the disk.
 * 3. `finish`, once the log is known to be the new leader's up to its first own
 *    commit: what survives nowhere is kept aside, then every place that differs or was
 *    touched is reconciled.
 *
 * Nothing is written to the store before the end: a crash on the way begins anew.
 */

import { closeSync } from 'node:fs';
import type { ChunkSource } from '../apply/content.ts';
import type { Slot } from '../apply/drift.ts';
import { readStable } from '../capture/stable-read.ts';
import type { ChunkEntries } from '../chunk-entries.ts';
import { type Change, type FileId, sameMeta } from '../command/change.ts';
import { decodeCommand } from '../command/codec.ts';
import { contentHash } from '../index/records.ts';
import type { JournalledCommand, Parts } from '../parts.ts';
import type { Salvage, SalvageManifest } from '../salvage/salvage-store.ts';
import { metaOf } from '../volume/meta.ts';
import type { VolumeTree } from '../volume/volume-tree.ts';
import { type Difference, differencesOf } from './compare.ts';
import { type FetchContent, Reconciler } from './reconcile.ts';
import { salvageTail } from './tail-salvage.ts';
import { hasContentAt, keepUnknown } from './unknown.ts';
import { Window } from './window.ts';

export interface SettleResult {
  readonly manifest: SalvageManifest | undefined;
  /** Places that were not surely right. */
  readonly differences: number;
}

/** Where contents come from that neither the disk nor the log's window has. */
export interface ContentSources {
  /** Chunks that came before the window. */
  readonly chunks: ChunkEntries;
  readonly contents: { readonly fetch: FetchContent };
}

export class Settling {
  readonly #parts: Parts;
  readonly #sources: ContentSources;
  readonly #window = new Window();
  readonly #differences = new Map<VolumeTree, Difference[]>();
  readonly #hasLed: boolean;

  constructor(parts: Parts, sources: ContentSources) {
    this.#parts = parts;
    this.#sources = sources;
    this.#hasLed = parts.state.current.hasLed;
    for (const [hash, entryIndex] of sources.chunks.entries) {
      this.#window.noteChunk(hash, entryIndex);
    }
  }

  /** Places that were not surely right. */
  get differenceCount(): number {
    return [...this.#differences.values()].reduce((sum, found) => sum + found.length, 0);
  }

  /**
   * Looks through all volumes.
   *
   * @param suspects commands whose files a loss of power may have taken from the disk
   */
  async scan(suspects: readonly JournalledCommand[] | 'everything'): Promise<void> {
    if (suspects === 'everything') this.#window.suspectAll();
    else this.#suspect(suspects);
    const { index, local, trees, closing } = this.#parts;
    for (const tree of trees) {
      const found: Difference[] = [];
      const isSuspect = (id: FileId) => this.#window.isSuspect(tree.number, id);
      for await (const difference of differencesOf({ tree, index, local, isSuspect })) {
        closing.throwIfAborted();
        if (!this.#isAsBefore(tree, difference)) found.push(difference);
      }
      this.#differences.set(tree, found);
    }
  }

  #suspect(suspects: readonly JournalledCommand[]): void {
    for (const { index, data } of suspects) {
      for (const change of changesOf(data)) this.#window.suspect(this.#parts.index, change, index);
    }
  }

  /**
   * Whether what looks different is what the index of before says all the same: read so
   * soon after it was written that its looks prove nothing, or read after a loss of power.
   */
  #isAsBefore(tree: VolumeTree, { kind, id, path, stat }: Difference): boolean {
    const { index, local } = this.#parts;
    const record = id === undefined ? undefined : index.find(tree.number, id);
    if (kind !== 'changed' || id === undefined || stat === undefined) return false;
    if (record?.type !== 'file' || stat.type !== 'file' || stat.size !== record.bytes) return false;
    const dir = tree.openPath(path.slice(0, -1));
    if (dir === undefined) return false;
    try {
      const content = readStable({ dir, name: record.name });
      if (content === undefined || content.isMixed) return false;
      if (!contentHash(content.chunks).equals(record.content)) return false;
      const layer = index.store.beginLayer();
      local.setSignature(tree.number, id, content.signature);
      index.store.commitThrough(layer);
      return sameMeta(record.meta, metaOf(content.stat));
    } finally {
      closeSync(dir);
    }
  }

  /** Takes committed changes into the index, in the open layer. */
  advance(changes: readonly Change[], entryIndex: number): void {
    const { chunks } = this.#sources;
    chunks.add(changes, entryIndex);
    chunks.contents.note(changes, entryIndex);
    for (const change of changes) this.#window.advance(this.#parts.index, change, entryIndex);
    this.#parts.index.settleSums();
    chunks.passed(changes);
  }

  /** These places are reconciled as well. */
  addSlots(slots: readonly Slot[]): void {
    for (const slot of slots) this.#window.addSlot(slot);
  }

  /**
   * Keeps aside what survives nowhere, then reconciles, in the open layer.
   *
   * @param epoch the term that this node's own changes belonged to
   */
  async finish(epoch: number, reason: string): Promise<SettleResult> {
    const manifest = await this.#keep(epoch, reason);
    for (const tree of this.#parts.trees) await this.#reconcile(tree);
    this.#sources.chunks.contents.forget();
    return { manifest, differences: this.differenceCount };
  }

  async #keep(epoch: number, reason: string): Promise<SalvageManifest | undefined> {
    const { port, salvage: store, index } = this.#parts;
    const salvage = store.begin(epoch, reason);
    try {
      for (const [tree, found] of this.#differences) {
        for (const difference of found) this.#keepDifference(tree, salvage, difference, reason);
      }
      const tails = await port.readTails();
      for (const { commands } of tails) {
        salvageTail({ index, trees: this.#parts.trees, salvage, commands }, (content, names) =>
          this.#parts.trees.some((tree) => this.#survives(tree, content, names)),
        );
      }
      const manifest = salvage.finish();
      // Only now are the bytes of the tails safe elsewhere.
      for (const { name } of tails) await port.removeTail(name);
      return manifest;
    } catch (error) {
      salvage.discard();
      throw error;
    }
  }

  #keepDifference(
    tree: VolumeTree,
    salvage: Salvage,
    { kind, path, stat }: Difference,
    reason: string,
  ): void {
    if (stat === undefined || (kind !== 'new' && kind !== 'changed')) return;
    const dir = tree.openPath(path.slice(0, -1));
    if (dir === undefined) return;
    try {
      const { index, local } = this.#parts;
      keepUnknown(
        {
          tree,
          index,
          local,
          salvage,
          reason,
          isSuspect: (id) => this.#window.isSuspect(tree.number, id),
          isThere: (id) => !this.#hasLed || index.find(tree.number, id) !== undefined,
          survives: (content, names) => this.#survives(tree, content, names),
          hadDirectory: (name) => this.#window.hasDirectory(name),
        },
        { place: { dir, name: path.at(-1) as Buffer }, names: path, stat },
      );
    } finally {
      closeSync(dir);
    }
  }

  /**
   * The log has had the content since, or has it there now. A follower's disk may be
   * anywhere on the way; what a primary gave another name was never in the log.
   */
  #survives(tree: VolumeTree, content: Buffer, names: readonly Buffer[]): boolean {
    const isInLog = this.#hasLed
      ? this.#window.hadContentAt(tree.number, names, content)
      : this.#window.hadContent(content);
    if (isInLog) return true;
    return hasContentAt(this.#parts.index, tree.number, names, content);
  }

  async #reconcile(tree: VolumeTree): Promise<void> {
    const { index, local, stager } = this.#parts;
    const { contents, chunks } = this.#sources;
    const fromWindow: ChunkSource = ({ hash }) => {
      const entryIndex = this.#window.entryOf(hash);
      return entryIndex === undefined ? undefined : chunks.contents.find(hash, entryIndex);
    };
    const reconciler = new Reconciler({
      tree,
      index,
      local,
      stager,
      chunks: [fromWindow],
      fetch: contents.fetch,
      isSuspect: (id) => this.#window.isSuspect(tree.number, id),
    });
    const differing = this.#differences.get(tree) ?? [];
    const slots = this.#window.slots.filter(({ volume }) => volume === tree.number);
    const { number: volume } = tree;
    await reconciler.reconcile([
      ...slots,
      ...differing.map(({ parent, name }) => ({ volume, parent, name })),
    ]);
  }
}

function changesOf(data: Buffer): readonly Change[] {
  const command = decodeCommand(data);
  return command.kind === 'changes' ? command.changes : [];
}
