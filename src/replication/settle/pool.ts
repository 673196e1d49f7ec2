/**
 * Files and directories taken out of a volume while it is reconciled, on the same
 * file system, to be put back wherever the index has them now.
 *
 * Whatever is left when a volume is reconciled is known elsewhere, or was kept aside
 * before; it goes.
 */

import { closeSync, rmSync } from 'node:fs';
import { type FileStat, findAt, openDirectoryAt, renameAt } from '../../platform/linux/files-at.ts';
import type { ChunkRef } from '../command/change.ts';
import { sha256 } from '../index/records.ts';
import { CHUNK_BYTES, readPiece, withFile } from '../volume/read-file.ts';
import { isSameFile, isSameInode, type Signature } from '../volume/signature.ts';
import type { PlaceOnDisk, VolumeTree } from '../volume/volume-tree.ts';

interface Pooled {
  readonly name: Buffer;
  readonly stat: FileStat;
}

/** A chunk in a pooled file, or in a file of a pooled directory. */
interface ChunkPlace {
  readonly entry: string;
  readonly file: Buffer;
  readonly offset: number;
}

export class Pool {
  readonly #tree: VolumeTree;
  readonly #entries = new Map<string, Pooled>();
  /** Chunks of pooled files, by hash; filled when the first one is asked for. */
  #chunks: Map<string, ChunkPlace> | undefined;
  #serial = 0;

  constructor(tree: VolumeTree) {
    this.#tree = tree;
    // What an interrupted run left is still of use.
    for (const name of tree.namesIn(tree.poolFd)) this.#register(name);
    this.#serial = this.#entries.size;
  }

  /** Takes something out of the volume. */
  take(place: PlaceOnDisk): void {
    const name = this.#freeName();
    renameAt(place, { dir: this.#tree.poolFd, name });
    const pooled = this.#register(name);
    if (pooled !== undefined && this.#chunks !== undefined) this.#hashEntry(this.#chunks, pooled);
  }

  /** Puts the file or directory with that signature back; false when it is not here. */
  putBack(known: Signature, type: FileStat['type'], place: PlaceOnDisk): boolean {
    const isSame = type === 'directory' ? isSameInode : isSameFile;
    for (const [key, { name, stat }] of this.#entries) {
      if (stat.type !== type || !isSame(known, stat)) continue;
      renameAt({ dir: this.#tree.poolFd, name }, place);
      this.#entries.delete(key);
      return true;
    }
    return false;
  }

  /** The bytes of a chunk, if a pooled file has it. */
  findChunk(chunk: ChunkRef): Buffer | undefined {
    this.#chunks ??= this.#hashAll();
    const found = this.#chunks.get(chunk.hash.toString('latin1'));
    if (found === undefined || !this.#entries.has(found.entry)) return undefined;
    const place = { dir: this.#tree.poolFd, name: found.file };
    return withFile(place, (fd) => readPiece(fd, found.offset, chunk.bytes));
  }

  /** Removes whatever is left. */
  clear(): void {
    for (const { name } of this.#entries.values()) {
      const path = `/proc/self/fd/${this.#tree.poolFd}/`;
      rmSync(Buffer.concat([Buffer.from(path), name]), { recursive: true, force: true });
    }
    this.#entries.clear();
    this.#chunks = undefined;
  }

  #freeName(): Buffer {
    for (;;) {
      this.#serial += 1;
      const name = Buffer.from(`${this.#serial}`);
      if (!this.#entries.has(name.toString('latin1'))) return name;
    }
  }

  #register(name: Buffer): Pooled | undefined {
    const stat = findAt(this.#tree.poolFd, name);
    if (stat === undefined) return undefined;
    const pooled = { name, stat };
    this.#entries.set(name.toString('latin1'), pooled);
    return pooled;
  }

  #hashAll(): Map<string, ChunkPlace> {
    const chunks = new Map<string, ChunkPlace>();
    for (const pooled of this.#entries.values()) this.#hashEntry(chunks, pooled);
    return chunks;
  }

  #hashEntry(chunks: Map<string, ChunkPlace>, { name, stat }: Pooled): void {
    this.#hashInto(chunks, { dir: this.#tree.poolFd, name }, stat.type, []);
  }

  #hashInto(
    chunks: Map<string, ChunkPlace>,
    place: PlaceOnDisk,
    type: FileStat['type'],
    above: readonly Buffer[],
  ): void {
    const path = [...above, place.name];
    if (type === 'file') {
      const file = Buffer.concat(path.flatMap((name, at) => (at === 0 ? [name] : [SLASH, name])));
      const entry = (path[0] as Buffer).toString('latin1');
      withFile(place, (fd) => hashFile(chunks, fd, { entry, file }));
    }
    if (type !== 'directory') return;
    const fd = openDirectoryAt(place.dir, place.name);
    try {
      for (const name of this.#tree.namesIn(fd)) {
        const stat = findAt(fd, name);
        if (stat !== undefined) this.#hashInto(chunks, { dir: fd, name }, stat.type, path);
      }
    } finally {
      closeSync(fd);
    }
  }
}

const SLASH = Buffer.from('/');

function hashFile(
  chunks: Map<string, ChunkPlace>,
  fd: number,
  where: Pick<ChunkPlace, 'entry' | 'file'>,
): void {
  for (let offset = 0; ; offset += CHUNK_BYTES) {
    const piece = readPiece(fd, offset, CHUNK_BYTES);
    if (piece.length > 0) chunks.set(sha256(piece).toString('latin1'), { ...where, offset });
    if (piece.length < CHUNK_BYTES) return;
  }
}
