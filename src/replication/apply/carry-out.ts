/**
 * Carries the changes of a committed batch out on a follower's disk, in order.
 *
 * Before a path is replaced or removed it is compared with what this node last knew
 * of it; a difference is `Drift`, and the paths are reconciled instead.
 */

import { systemCode } from '../../errors.ts';
import {
  type FileStat,
  removeDirectoryAt,
  removeFileAt,
  renameAt,
  statAt,
} from '../../platform/linux/files-at.ts';
import { type FileChange, type FileId, type PutChange, ROOT_ID } from '../command/change.ts';
import type { Effect, FileIndex } from '../index/file-index.ts';
import type { LocalState } from '../index/local-state.ts';
import type { NodeRecord } from '../index/records.ts';
import { isSameFile, isSameInode, signatureOf } from '../volume/signature.ts';
import { isAbsence, type PlaceOnDisk, type VolumeTree } from '../volume/volume-tree.ts';
import type { ChunkSource } from './content.ts';
import { findChunk } from './content.ts';
import { Drift, type Slot } from './drift.ts';
import type { Stager } from './stager.ts';

export interface CarryOutParts {
  readonly index: FileIndex;
  readonly local: LocalState;
  readonly stager: Stager;
  /** Where chunks that are not inline are sought. */
  readonly chunks: ChunkSource;
}

export class CarryOut {
  readonly #index: FileIndex;
  readonly #local: LocalState;
  readonly #stager: Stager;
  readonly #chunks: ChunkSource;
  /** Directories whose modification time must be set when the batch is done. */
  readonly #directories = new Map<string, { tree: VolumeTree; id: FileId }>();

  constructor({ index, local, stager, chunks }: CarryOutParts) {
    this.#index = index;
    this.#local = local;
    this.#stager = stager;
    this.#chunks = chunks;
  }

  /** Slots that an effect concerns: where the node was, and where it is. */
  static slotsOf({ volume, before, after }: Effect): Slot[] {
    return [before, after].flatMap((record) =>
      record === undefined ? [] : [{ volume, parent: record.parent, name: record.name }],
    );
  }

  /**
   * Makes an effect true on disk.
   *
   * @throws {Drift} when the disk is not what it must be
   */
  async carryOut(tree: VolumeTree, change: FileChange, effect: Effect): Promise<void> {
    const { before, after } = effect;
    if (before === undefined && after === undefined) return;
    try {
      this.#checkReplaced(tree, effect);
      await this.#carryOut(tree, change, effect);
    } catch (error) {
      const code = systemCode(error);
      const isForeign = code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'EISDIR';
      if (!isForeign && !isAbsence(error)) throw error;
      throw new Drift(CarryOut.slotsOf(effect), `${change.kind} met ${code}`);
    }
    this.#noteDirectories(tree, effect);
  }

  /**
   * Ends a batch: directories get the times that their index says.
   *
   * @throws {Drift} when one is not there
   */
  finish(): void {
    for (const { tree, id } of this.#directories.values()) this.#setDirectoryTime(tree, id);
    this.#directories.clear();
  }

  /** Gives a batch up: its directories are brought to what they must be another way. */
  forget(): void {
    this.#directories.clear();
  }

  /**
   * Looks at what has these identities: it must be as the index says.
   *
   * @returns how many files were looked at
   * @throws {Drift} when something is not as it must be
   */
  check(tree: VolumeTree, ids: Iterable<FileId>): number {
    let files = 0;
    for (const id of ids) {
      const record = id === ROOT_ID ? undefined : this.#index.find(tree.number, id);
      if (record === undefined) continue;
      const slot = { volume: tree.number, ...record };
      const dir = tree.findDirectory(this.#index, record.parent);
      const stat = dir === undefined ? undefined : tree.stat({ dir, name: record.name });
      if (stat === undefined || !looksAs(record, stat)) {
        throw new Drift([slot], 'what was written does not look as it must');
      }
      if (record.type === 'file') files += 1;
      tree.releaseIfMany();
    }
    return files;
  }

  async #carryOut(tree: VolumeTree, change: FileChange, effect: Effect): Promise<void> {
    switch (change.kind) {
      case 'put':
        await this.#put(tree, change, effect);
        return;
      case 'mkdir':
        this.#stager.makeDirectory(this.#placeOf(tree, effect.after), change.meta);
        this.#sign(tree, effect);
        return;
      case 'symlink': {
        const place = this.#placeOf(tree, effect.after);
        const signature = this.#stager.putSymlink(tree, place, change.target, change.meta);
        this.#local.setSignature(tree.number, effect.id, signature);
        return;
      }
      case 'rename':
        renameAt(this.#placeOf(tree, effect.before), this.#placeOf(tree, effect.after));
        this.#sign(tree, effect);
        return;
      case 'remove':
        this.#remove(tree, effect);
        return;
      case 'setmeta':
        this.#setMeta(tree, effect);
    }
  }

  async #put(tree: VolumeTree, change: PutChange, effect: Effect): Promise<void> {
    const { data, meta, chunks } = change;
    const place = this.#placeOf(tree, effect.after);
    if (data !== undefined) {
      const signature = this.#stager.putFile(tree, place, data, meta);
      this.#local.setSignature(tree.number, effect.id, signature);
      return;
    }
    const staged = this.#stager.begin(tree);
    try {
      for (const chunk of chunks) staged.write(await findChunk(chunk, [this.#chunks]));
      // Directories may have been closed while chunks were waited for.
      const target = this.#placeOf(tree, effect.after);
      this.#local.setSignature(tree.number, effect.id, staged.finish(target, meta));
    } catch (error) {
      staged.discard();
      throw error;
    }
  }

  #remove(tree: VolumeTree, { id, before }: Effect): void {
    if (before === undefined) return;
    const place = this.#placeOf(tree, before);
    if (before.type === 'directory') removeDirectoryAt(place.dir, place.name);
    else removeFileAt(place.dir, place.name);
    this.#local.forgetSignature(tree.number, id);
    this.#local.setMissing(tree.number, id, false);
  }

  #setMeta(tree: VolumeTree, effect: Effect): void {
    const { after, id } = effect;
    if (after === undefined) return;
    if (after.type === 'directory') {
      this.#directories.set(keyOf(tree, id), { tree, id });
      return;
    }
    const place = this.#placeOf(tree, after);
    if (after.type === 'file') this.#stager.meta.setFile(place, after.meta);
    else this.#stager.meta.setLink(place, after.meta);
    this.#sign(tree, effect);
  }

  /** What stands where something is to go must be what this node knows there. */
  #checkReplaced(tree: VolumeTree, effect: Effect): void {
    const { before, after, id, replaced } = effect;
    if (before !== undefined && before.type !== 'directory') {
      this.#checkKnown(tree, id, before, effect);
    }
    if (replaced !== undefined) {
      this.#checkKnown(tree, replaced.id, replaced.record, effect);
      this.#local.forgetSignature(tree.number, replaced.id);
      this.#local.setMissing(tree.number, replaced.id, false);
      return;
    }
    const isNewPlace = after !== undefined && !isSamePlace(before, after);
    if (isNewPlace) this.#checkFree(tree, after, effect);
  }

  #checkKnown(tree: VolumeTree, id: FileId, record: NodeRecord, effect: Effect): void {
    const known = this.#local.signature(tree.number, id);
    const stat = tree.stat(this.#placeOf(tree, record));
    if (stat === undefined || known === undefined) {
      throw new Drift(CarryOut.slotsOf(effect), 'a file that must be there is not');
    }
    const isSame = record.type === 'directory' ? isSameInode(known, stat) : isSameFile(known, stat);
    if (!isSame) throw new Drift(CarryOut.slotsOf(effect), 'a file was changed here');
  }

  #checkFree(tree: VolumeTree, record: NodeRecord, effect: Effect): void {
    if (tree.stat(this.#placeOf(tree, record)) === undefined) return;
    throw new Drift(CarryOut.slotsOf(effect), 'a file is in the way');
  }

  /** Remembers how the node looks now. */
  #sign(tree: VolumeTree, { id, after }: Effect): void {
    if (after === undefined) return;
    const place = this.#placeOf(tree, after);
    const signature = signatureOf(statAt(place.dir, place.name), Date.now());
    this.#local.setSignature(tree.number, id, { ...signature, racy: false });
  }

  #placeOf(tree: VolumeTree, record: NodeRecord | undefined): PlaceOnDisk {
    if (record === undefined) throw new Drift([], 'a node without a place');
    return { dir: tree.directory(this.#index, record.parent), name: record.name };
  }

  #noteDirectories(tree: VolumeTree, { id, before, after }: Effect): void {
    for (const record of [before, after]) {
      if (record === undefined) continue;
      this.#directories.set(keyOf(tree, record.parent), { tree, id: record.parent });
    }
    if (after?.type === 'directory') this.#directories.set(keyOf(tree, id), { tree, id });
  }

  #setDirectoryTime(tree: VolumeTree, id: FileId): void {
    const record = this.#index.find(tree.number, id);
    if (record === undefined) return;
    if (id === ROOT_ID) {
      this.#stager.meta.setDirectory({ dir: tree.rootFd, name: Buffer.from('.') }, record.meta);
      return;
    }
    try {
      const place = { dir: tree.directory(this.#index, record.parent), name: record.name };
      this.#stager.meta.setDirectory(place, record.meta);
    } catch (error) {
      if (!isAbsence(error)) throw error;
      throw new Drift(
        [{ volume: tree.number, ...record }],
        'a directory that must be there is not',
      );
    }
  }
}

const keyOf = (tree: VolumeTree, id: FileId): string => `${tree.number}/${id}`;

function isSamePlace(a: NodeRecord | undefined, b: NodeRecord): boolean {
  return a !== undefined && a.parent === b.parent && a.name.equals(b.name);
}

/** As far as a look tells; owners may be what this process was not allowed to set. */
function looksAs(record: NodeRecord, stat: FileStat): boolean {
  const { mode, mtime, type, size } = stat;
  const { meta } = record;
  if (record.type !== type) return false;
  const isTime = mtime.seconds === meta.mtimeSeconds && mtime.nanoseconds === meta.mtimeNanoseconds;
  const isMode = type === 'symlink' || mode === meta.mode;
  return isTime && isMode && (record.type !== 'file' || size === record.bytes);
}
