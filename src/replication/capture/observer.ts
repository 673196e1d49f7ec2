/**
 * Looks at a name that may have changed, and says in the log's terms what became of
 * it: the difference between the disk and the index, as changes.
 *
 * The index already holds everything captured before, committed or not.
 */

import { type FileStat, readLinkAt } from '../../platform/linux/files-at.ts';
import { type FileId, ROOT_ID, sameMeta } from '../command/change.ts';
import type { FileIndex } from '../index/file-index.ts';
import { isSurely, type KnownLook, type LocalState } from '../index/local-state.ts';
import { contentHash, type NodeRecord, sha256 } from '../index/records.ts';
import { WORKSPACE } from '../volume/exclusions.ts';
import { metaOf } from '../volume/meta.ts';
import { CHUNK_BYTES, readPiece, withFile } from '../volume/read-file.ts';
import { isSameFile, isSameInode, type Signature, signatureOf } from '../volume/signature.ts';
import { isAbsence, type PlaceOnDisk, type VolumeTree } from '../volume/volume-tree.ts';
import type { Batcher } from './batcher.ts';
import { readStable, type StableContent } from './stable-read.ts';
import type { WatchedDirectory } from './watched-directory.ts';

/** What a look found out about its mark. */
export type Look =
  /** The name is dealt with. */
  | { readonly kind: 'done' }
  /** What it had while it was read is taken, a mix of moments: no barrier covers that. */
  | { readonly kind: 'mixed' }
  /** It would not hold still: look again. */
  | { readonly kind: 'restless' }
  /** A directory that is new, or moved here: watch it, and look at everything in it. */
  | { readonly kind: 'directory'; readonly id: FileId; readonly isNew: boolean }
  /** Not a thing that can be replicated, and why. */
  | { readonly kind: 'unsupported'; readonly reason: string };

export interface ObserverParts {
  readonly index: FileIndex;
  readonly local: LocalState;
  readonly batcher: Batcher;
}

/** A name in a directory of a volume, and what stands there. */
export interface Sight {
  readonly tree: VolumeTree;
  readonly parent: FileId;
  readonly place: PlaceOnDisk;
  readonly stat: FileStat;
  /** From a listing only: equal looks are enough. */
  readonly isHint: boolean;
  /** Take what there is, even if the file does not hold still. */
  readonly isLastTry: boolean;
}

/** More chunks than this do not fit into one change. */
const CHUNKS_MAX = 24_000;
const DONE: Look = { kind: 'done' };

export class Observer {
  readonly #index: FileIndex;
  readonly #local: LocalState;
  readonly #batcher: Batcher;
  readonly #parked = new Map<string, { readonly tree: VolumeTree; readonly id: FileId }>();

  constructor({ index, local, batcher }: ObserverParts) {
    this.#index = index;
    this.#local = local;
    this.#batcher = batcher;
  }

  async look(sight: Sight): Promise<Look> {
    switch (sight.stat.type) {
      case 'directory':
        return await this.#lookAtDirectory(sight);
      case 'symlink':
        return await this.#lookAtSymlink(sight);
      case 'file':
        return await this.#lookAtFile(sight);
      case 'other': {
        const { tree, parent, place } = sight;
        await this.vacate(tree, parent, place.name);
        return { kind: 'unsupported', reason: 'a socket, pipe or device' };
      }
    }
  }

  /** The name is gone: so is what the index has there. */
  async vacate(tree: VolumeTree, parent: FileId, name: Buffer): Promise<void> {
    const id = this.#index.lookUp(tree.number, parent, name);
    if (id !== undefined) await this.#remove(tree, id);
  }

  /** Directories that lost their name to another and were not found again yet. */
  get hasParked(): boolean {
    return this.#parked.size > 0;
  }

  /** Everything was looked at: what was not found again is gone. */
  async removeParked(): Promise<void> {
    for (const [key, { tree, id }] of this.#parked) {
      this.#parked.delete(key);
      const record = this.#index.find(tree.number, id);
      if (record?.name.equals(parkedName(id)) === true) await this.#remove(tree, id);
    }
  }

  /** A directory's own metadata, which change with everything that happens in it. */
  lookAtMeta(directory: WatchedDirectory, stat: FileStat): void {
    const { tree, id } = directory;
    const record = this.#index.find(tree.number, id);
    if (record === undefined || sameMeta(record.meta, metaOf(stat))) return;
    this.#batcher.add({ kind: 'setmeta', volume: tree.number, id, meta: metaOf(stat) });
  }

  async #lookAtDirectory({ tree, parent, place, stat }: Sight): Promise<Look> {
    const standing = this.#standing(tree, parent, place.name);
    const isSame = standing?.known !== undefined && isSameInode(standing.known, stat);
    if (standing?.record.type === 'directory' && isSame) {
      this.#setMeta(tree, standing, stat);
      return { kind: 'directory', id: standing.id, isNew: false };
    }
    const volume = tree.number;
    const moved = this.#movedHere(tree, stat, 'directory');
    if (standing?.record.type === 'directory') this.#park(tree, standing.id);
    else if (standing !== undefined) await this.#remove(tree, standing.id);
    if (moved !== undefined) {
      this.#batcher.add({ kind: 'rename', volume, id: moved, parent, name: place.name });
      return { kind: 'directory', id: moved, isNew: false };
    }
    const id = this.#index.lastId(volume) + 1;
    const meta = metaOf(stat);
    this.#batcher.add({ kind: 'mkdir', volume, id, parent, name: place.name, meta }, () =>
      this.#local.setSignature(volume, id, signatureOf(stat, Date.now())),
    );
    return { kind: 'directory', id, isNew: true };
  }

  async #lookAtSymlink({ tree, parent, place, stat }: Sight): Promise<Look> {
    const standing = this.#standing(tree, parent, place.name);
    const target = readLinkAt(place.dir, place.name);
    const isSame = standing?.known !== undefined && isSameInode(standing.known, stat);
    if (standing?.record.type === 'symlink' && isSame && standing.record.target.equals(target)) {
      this.#setMeta(tree, standing, stat);
      return DONE;
    }
    if (this.#renameHere(tree, parent, place.name, stat)) return DONE;
    if (standing?.record.type === 'directory') await this.#remove(tree, standing.id);
    const volume = tree.number;
    const id = this.#index.lastId(volume) + 1;
    const placed = { volume, id, parent, name: place.name };
    this.#batcher.add({ kind: 'symlink', ...placed, meta: metaOf(stat), target }, () =>
      this.#sign(tree, id, signatureOf(stat, Date.now()), standing),
    );
    return DONE;
  }

  async #lookAtFile(sight: Sight): Promise<Look> {
    const { tree, parent, place, stat, isHint } = sight;
    let standing = this.#standing(tree, parent, place.name);
    const isSure = standing !== undefined && isSurely(standing.known, standing.record, stat);
    if (isHint && isSure) return DONE;
    const isSame = standing?.known !== undefined && isSameInode(standing.known, stat);
    if (!isSame && this.#renameHere(tree, parent, place.name, stat)) {
      standing = this.#standing(tree, parent, place.name);
      // Its content was known before it moved, unless that was read too soon after a write.
      if (standing?.known?.racy === false) return DONE;
    }
    const content = readStable(place);
    if (content === undefined) return { kind: 'restless' };
    if (content.isMixed && !sight.isLastTry) return { kind: 'restless' };
    if (content.chunks.length > CHUNKS_MAX) {
      return { kind: 'unsupported', reason: `a file of ${content.stat.size} bytes` };
    }
    return await this.#takeContent(sight, standing, content);
  }

  /** The content that a file has now, compared with what the index has. */
  async #takeContent(
    { tree, parent, place }: Sight,
    standing: Standing | undefined,
    content: StableContent,
  ): Promise<Look> {
    const { stat, signature, chunks, data, isMixed } = content;
    const isSame = standing?.known !== undefined && isSameInode(standing.known, stat);
    if (standing?.record.type === 'file' && isSame) {
      if (contentHash(chunks).equals(standing.record.content)) {
        this.#setMeta(tree, standing, stat);
        this.#batcher.within(() => this.#sign(tree, standing.id, signature, standing));
        return DONE;
      }
    }
    if (standing?.record.type === 'directory') await this.#remove(tree, standing.id);
    // Chunks come directly before the file that needs them.
    if (data === undefined && !this.#sendChunksOf(place, content)) return { kind: 'restless' };
    const volume = tree.number;
    const isOwn = standing?.record.type === 'file' && isSame;
    const id = isOwn ? standing.id : this.#index.lastId(volume) + 1;
    const placed = { volume, id, parent, name: place.name };
    const put = {
      kind: 'put',
      ...placed,
      meta: metaOf(stat),
      chunks,
      data,
      fuzzy: isMixed,
    } as const;
    this.#batcher.add(put, () => this.#sign(tree, id, signature, standing));
    return isMixed ? { kind: 'mixed' } : DONE;
  }

  /**
   * Another directory has the name of this one. A directory with something in it is
   * not replaced, so it was moved away, and what is in it must not be removed on
   * anybody's disk before it is found under its new name.
   */
  #park(tree: VolumeTree, id: FileId): void {
    const placed = { volume: tree.number, id, parent: ROOT_ID, name: parkedName(id) };
    this.#batcher.add({ kind: 'rename', ...placed });
    this.#parked.set(`${tree.number}/${id}`, { tree, id });
  }

  /** Like `#sendChunks`; false also when the file was moved or removed since it was read. */
  #sendChunksOf(place: PlaceOnDisk, content: StableContent): boolean {
    try {
      return this.#sendChunks(place, content);
    } catch (error) {
      if (isAbsence(error)) return false;
      throw error;
    }
  }

  /** Sends a long content piece by piece; false when it is no longer what was read. */
  #sendChunks(place: PlaceOnDisk, { chunks }: StableContent): boolean {
    return withFile(place, (fd) => {
      for (const [at, { hash, bytes }] of chunks.entries()) {
        const piece = readPiece(fd, at * CHUNK_BYTES, bytes);
        if (!sha256(piece).equals(hash)) return false;
        this.#batcher.addChunk(hash, piece);
      }
      return true;
    });
  }

  /** What the index has under a name, and how it looked. */
  #standing(tree: VolumeTree, parent: FileId, name: Buffer): Standing | undefined {
    const id = this.#index.lookUp(tree.number, parent, name);
    const record = id === undefined ? undefined : this.#index.find(tree.number, id);
    if (id === undefined || record === undefined) return undefined;
    return { id, record, known: this.#local.signature(tree.number, id) };
  }

  /** Notes how a node looks; what stood in its place before looks like nothing any more. */
  #sign(tree: VolumeTree, id: FileId, signature: Signature, before: Standing | undefined): void {
    if (before !== undefined && before.id !== id) {
      this.#local.forgetSignature(tree.number, before.id);
    }
    this.#local.setSignature(tree.number, id, signature);
  }

  #setMeta(tree: VolumeTree, { id, record }: Standing, stat: FileStat): void {
    const meta = metaOf(stat);
    if (sameMeta(record.meta, meta)) return;
    this.#batcher.add({ kind: 'setmeta', volume: tree.number, id, meta });
  }

  /** Recognises a file that was moved here with its content untouched. */
  #renameHere(tree: VolumeTree, parent: FileId, name: Buffer, stat: FileStat): boolean {
    const id = this.#movedHere(tree, stat, stat.type);
    if (id === undefined) return false;
    const volume = tree.number;
    const known = this.#local.signature(volume, id);
    if (known === undefined) return false;
    const standing = this.#standing(tree, parent, name);
    // The rename changed its ctime and nothing else.
    const signature = { ...signatureOf(stat, 0), racy: known.racy };
    this.#batcher.add({ kind: 'rename', volume, id, parent, name }, () =>
      this.#sign(tree, id, signature, standing),
    );
    const record = this.#index.find(volume, id);
    if (record !== undefined) this.#setMeta(tree, { id, record, known }, stat);
    return true;
  }

  /** The identity that the file or directory had elsewhere, if that place is empty now. */
  #movedHere(tree: VolumeTree, stat: FileStat, type: FileStat['type']): FileId | undefined {
    const id = this.#local.findByInode(tree.number, stat.inode.toString());
    const record = id === undefined ? undefined : this.#index.find(tree.number, id);
    if (id === undefined || record === undefined || record.type !== type) return undefined;
    const known = this.#local.signature(tree.number, id);
    const isSame = type === 'directory' ? isSameInode : isSameFile;
    if (known === undefined || !isSame(known, stat)) return undefined;
    // Still there under the old name: another link to the same file, no rename.
    return this.#isStillThere(tree, record, stat) ? undefined : id;
  }

  #isStillThere(tree: VolumeTree, record: NodeRecord, stat: FileStat): boolean {
    const dir = tree.findDirectory(this.#index, record.parent);
    if (dir === undefined) return false;
    return tree.stat({ dir, name: record.name })?.inode === stat.inode;
  }

  /** Removes a node and everything below it, the lowest first. */
  async #remove(tree: VolumeTree, id: FileId): Promise<void> {
    if (id === ROOT_ID) return;
    if (this.#index.find(tree.number, id)?.type === 'directory') {
      for (const child of await this.#index.children(tree.number, id)) {
        await this.#remove(tree, child.id);
      }
    }
    this.#batcher.add({ kind: 'remove', volume: tree.number, id }, () =>
      this.#local.forgetSignature(tree.number, id),
    );
  }
}

/** The name of a directory whose own name is taken, until it is found again. */
function parkedName(id: FileId): Buffer {
  return Buffer.from(`${WORKSPACE}-moved-${id}`);
}

interface Standing {
  readonly id: FileId;
  readonly record: NodeRecord;
  readonly known: KnownLook | undefined;
}
