/**
 * Makes a volume on disk equal to its index at given places, whatever stands there.
 *
 * Not a replay: each place is brought to the final state that the index has for it
 * (safety rule 11). First everything that is in the way goes to the pool, then
 * everything that is lacking is put in place, from the pool, from what the log's
 * window holds, or from peers. What can not be had is `missing`, and is asked for
 * again; it is never taken for a removal.
 */

import { type FileStat, readLinkAt, statAt } from '../../platform/linux/files-at.ts';
import { ChunkMissing, type ChunkSource, findChunk } from '../apply/content.ts';
import type { Slot } from '../apply/drift.ts';
import type { Stager } from '../apply/stager.ts';
import { type FileId, ROOT_ID } from '../command/change.ts';
import type { FileIndex } from '../index/file-index.ts';
import { isSurely, type LocalState } from '../index/local-state.ts';
import { contentHash, type FileRecord, type NodeRecord } from '../index/records.ts';
import { chunksAt } from '../volume/read-file.ts';
import { isSameInode, signatureOf } from '../volume/signature.ts';
import type { PlaceOnDisk, VolumeTree } from '../volume/volume-tree.ts';
import { Pool } from './pool.ts';

export interface ReconcileParts {
  readonly tree: VolumeTree;
  readonly index: FileIndex;
  readonly local: LocalState;
  readonly stager: Stager;
  /** Where chunks are sought that the pool does not have. */
  readonly chunks: readonly ChunkSource[];
  /** Whom else to ask for the content of a file. */
  readonly fetch: FetchContent;
  readonly isSuspect: (id: FileId) => boolean;
}

/** Where the chunks of one file come from, when this node does not have them. */
export type FetchContent = (volume: number, id: FileId, record: FileRecord) => ChunkSource;

/** A name at which the disk lacks what the index has. */
interface Lack {
  readonly id: FileId;
  readonly depth: number;
}

/** What stands at a slot, and whether all that is below it is looked into. */
interface Standing {
  readonly parent: FileId;
  readonly place: PlaceOnDisk;
  readonly stat: FileStat;
  readonly isDeep: boolean;
}

export class Reconciler {
  readonly #parts: ReconcileParts;
  readonly #pool: Pool;
  readonly #lacks = new Map<FileId, Lack>();
  /** Directories whose times are to be set at the end. */
  readonly #directories = new Set<FileId>();
  /** Slots that were looked into, and whether what is below them was as well. */
  readonly #seen = new Map<string, boolean>();

  constructor(parts: ReconcileParts) {
    this.#parts = parts;
    this.#pool = new Pool(parts.tree);
  }

  /**
   * Brings the slots to what the index says.
   *
   * @returns identities of the files whose content no source has
   */
  async reconcile(slots: readonly Slot[]): Promise<readonly FileId[]> {
    const { tree } = this.#parts;
    for (const slot of this.#byDepth(slots)) {
      await this.#clear(slot, false);
      tree.releaseIfMany();
    }
    const missing: FileId[] = [];
    while (this.#lacks.size > 0) {
      // Directories come before what is in them.
      const lacks = [...this.#lacks.values()].sort((a, b) => a.depth - b.depth || a.id - b.id);
      this.#lacks.clear();
      for (const { id } of lacks) {
        if (!(await this.#fill(id))) missing.push(id);
        tree.releaseIfMany();
      }
    }
    this.#setDirectories();
    tree.release();
    this.#pool.clear();
    return missing;
  }

  /** Slots whose directory the index still has, the upper ones first. */
  #byDepth(slots: readonly Slot[]): readonly Slot[] {
    const { index, tree } = this.#parts;
    return slots
      .filter(({ parent }) => index.find(tree.number, parent)?.type === 'directory')
      .map((slot) => ({ slot, depth: index.pathOf(tree.number, slot.parent).length }))
      .sort((a, b) => a.depth - b.depth)
      .map(({ slot }) => slot);
  }

  /**
   * Takes away what is not to be at the slot, and notes what is lacking.
   *
   * @param isDeep whether a directory that is right is looked into as well
   */
  async #clear({ parent, name }: Slot, isDeep: boolean): Promise<void> {
    const { tree, index } = this.#parts;
    this.#directories.add(parent);
    const dir = tree.findDirectory(index, parent);
    if (dir === undefined) {
      // The whole directory lacks, and everything in it: it is looked into when it is back.
      const { parent: above, name: own } = index.getDirectory(tree.number, parent);
      await this.#clear({ volume: tree.number, parent: above, name: own }, isDeep);
      return;
    }
    const key = `${parent}/${name.toString('latin1')}`;
    const seen = this.#seen.get(key);
    if (seen === true || (seen === false && !isDeep)) return;
    this.#seen.set(key, isDeep);
    const id = index.lookUp(tree.number, parent, name);
    const record = id === undefined ? undefined : index.find(tree.number, id);
    const wanted = id === undefined || record === undefined ? undefined : { id, record };
    const stat = tree.stat({ dir, name });
    if (stat !== undefined) {
      const standing = { parent, place: { dir, name }, stat, isDeep };
      const isDone = await this.#clearStanding(standing, wanted);
      if (isDone) return;
    }
    if (wanted !== undefined) await this.#noteLack(wanted.id, wanted.record);
  }

  /** Deals with what stands at a slot; true when nothing is lacking there. */
  async #clearStanding(
    { parent, place, stat, isDeep }: Standing,
    wanted: { readonly id: FileId; readonly record: NodeRecord } | undefined,
  ): Promise<boolean> {
    const isDirectory = wanted?.record.type === 'directory' && stat.type === 'directory';
    if (wanted !== undefined && !(isDirectory && isDeep)) {
      if (this.#isRight(wanted.id, wanted.record, place, stat)) return true;
    }
    if (wanted !== undefined && isDirectory) {
      await this.#clearDirectory(wanted.id, stat);
      return true;
    }
    if (!this.#isExcluded(parent, place.name, stat)) this.#pool.take(place);
    return false;
  }

  /** Another directory, or one that was elsewhere: all that is in it is looked into. */
  async #clearDirectory(id: FileId, stat: FileStat): Promise<void> {
    const { tree, index, local } = this.#parts;
    local.setSignature(tree.number, id, signatureOf(stat, Date.now()));
    this.#directories.add(id);
    const fd = tree.directory(index, id);
    const names = new Map(tree.namesIn(fd).map((name) => [name.toString('latin1'), name]));
    for (const child of await index.children(tree.number, id)) {
      names.set(child.name.toString('latin1'), child.name);
    }
    for (const name of names.values()) {
      await this.#clear({ volume: tree.number, parent: id, name }, true);
      tree.releaseIfMany();
    }
  }

  #isExcluded(parent: FileId, name: Buffer, stat: FileStat): boolean {
    const { tree, index } = this.#parts;
    const names = [...index.pathOf(tree.number, parent), name];
    return tree.exclusions.excludes(names, stat.type === 'directory');
  }

  /** Whether the disk has at the place what the index says; makes its metadata right. */
  #isRight(id: FileId, record: NodeRecord, place: PlaceOnDisk, stat: FileStat): boolean {
    const { tree, local, stager, isSuspect } = this.#parts;
    if (record.type !== stat.type) return false;
    const known = local.signature(tree.number, id);
    switch (record.type) {
      case 'directory':
        if (known === undefined || !isSameInode(known, stat)) return false;
        this.#directories.add(id);
        return true;
      case 'symlink':
        if (!readLinkAt(place.dir, place.name).equals(record.target)) return false;
        stager.meta.setLink(place, record.meta);
        this.#sign(id, place);
        return true;
      case 'file': {
        const isSure = !isSuspect(id) && isSurely(known, record, stat);
        const isSame = isSure || (stat.size === record.bytes && hasContent(place, record));
        if (!isSame) return false;
        stager.meta.setFile(place, record.meta);
        this.#sign(id, place);
        local.setMissing(tree.number, id, false);
        return true;
      }
    }
  }

  /** The node is to be put in place, and if it is a directory everything in it. */
  async #noteLack(id: FileId, record: NodeRecord): Promise<void> {
    const { tree, index } = this.#parts;
    const depth = index.pathOf(tree.number, id).length;
    this.#lacks.set(id, { id, depth });
    if (record.type !== 'directory') return;
    for (const child of await index.children(tree.number, id)) {
      const below = index.find(tree.number, child.id);
      if (below !== undefined) await this.#noteLack(child.id, below);
    }
  }

  /** Puts a node in place; false when its content can not be had. */
  async #fill(id: FileId): Promise<boolean> {
    const { tree, index, local } = this.#parts;
    const record = index.find(tree.number, id);
    if (record === undefined) return true;
    const place = { dir: tree.directory(index, record.parent), name: record.name };
    // A directory that was put back brought this along.
    const stat = tree.stat(place);
    if (stat !== undefined) {
      const standing = { parent: record.parent, place, stat, isDeep: true };
      if (await this.#clearStanding(standing, { id, record })) return true;
    }
    const known = local.signature(tree.number, id);
    if (known !== undefined && this.#pool.putBack(known, record.type, place)) {
      const back = statAt(place.dir, place.name);
      const standing = { parent: record.parent, place, stat: back, isDeep: true };
      if (await this.#clearStanding(standing, { id, record })) return true;
    }
    return await this.#make(id, record, place);
  }

  async #make(id: FileId, record: NodeRecord, place: PlaceOnDisk): Promise<boolean> {
    const { tree, local, stager } = this.#parts;
    switch (record.type) {
      case 'directory':
        stager.makeDirectory(place, record.meta);
        this.#directories.add(id);
        this.#sign(id, place);
        return true;
      case 'symlink':
        local.setSignature(
          tree.number,
          id,
          stager.putSymlink(tree, place, record.target, record.meta),
        );
        return true;
      case 'file':
        return await this.#fillFile(id, record);
    }
  }

  async #fillFile(id: FileId, record: FileRecord): Promise<boolean> {
    const { tree, index, local, stager, chunks, fetch } = this.#parts;
    const fromPool: ChunkSource = (chunk) => this.#pool.findChunk(chunk);
    const sources = [fromPool, ...chunks, fetch(tree.number, id, record)];
    const staged = stager.begin(tree);
    try {
      for (const chunk of record.chunks) staged.write(await findChunk(chunk, sources));
    } catch (error) {
      staged.discard();
      if (!(error instanceof ChunkMissing)) throw error;
      local.setMissing(tree.number, id, true);
      return false;
    }
    const place = { dir: tree.directory(index, record.parent), name: record.name };
    local.setSignature(tree.number, id, staged.finish(place, record.meta));
    local.setMissing(tree.number, id, false);
    return true;
  }

  #sign(id: FileId, place: PlaceOnDisk): void {
    const { tree, local } = this.#parts;
    const signature = signatureOf(statAt(place.dir, place.name), Date.now());
    local.setSignature(tree.number, id, { ...signature, racy: false });
  }

  #setDirectories(): void {
    const { tree, index, stager } = this.#parts;
    const depths = [...this.#directories]
      .filter((id) => index.find(tree.number, id)?.type === 'directory')
      .map((id) => ({ id, depth: index.pathOf(tree.number, id).length }));
    for (const { id } of depths.sort((a, b) => b.depth - a.depth)) {
      const record = index.getDirectory(tree.number, id);
      const dir = id === ROOT_ID ? tree.rootFd : tree.directory(index, record.parent);
      const name = id === ROOT_ID ? Buffer.from('.') : record.name;
      stager.meta.setDirectory({ dir, name }, record.meta);
      tree.releaseIfMany();
    }
  }
}

function hasContent(place: PlaceOnDisk, record: FileRecord): boolean {
  return contentHash(chunksAt(place)).equals(record.content);
}
