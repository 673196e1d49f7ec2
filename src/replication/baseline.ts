/**
 * Indexes what the origin's volumes held before the cluster existed.
 *
 * The index is complete on disk before its decree is proposed; when the decree is
 * committed it becomes everybody's. Files get their identities in the order of their
 * names, so that indexing the same tree again gives the same index.
 */

import { closeSync } from 'node:fs';
import { type FileStat, openDirectoryAt, readLinkAt } from '../platform/linux/files-at.ts';
import { type FileId, ROOT_ID } from './command/change.ts';
import type { BaselineDecree } from './command/decree.ts';
import { emptyRoot } from './index/file-index.ts';
import type { Parts } from './parts.ts';
import { summaryOf } from './summary.ts';
import { metaOf } from './volume/meta.ts';
import { chunksOf, withFile } from './volume/read-file.ts';
import { signatureOf } from './volume/signature.ts';
import type { VolumeTree } from './volume/volume-tree.ts';

/** Files indexed between two writes to the store. */
const FILES_PER_FLUSH = 500;

export class Baseline {
  readonly #parts: Parts;
  readonly #flush: () => Promise<void>;
  files = 0;
  bytes = 0;
  #sinceFlush = 0;

  constructor(parts: Parts, flush: () => Promise<void>) {
    this.#parts = parts;
    this.#flush = flush;
  }

  /** Indexes all volumes, and says what the decree is to say. */
  async make(): Promise<BaselineDecree> {
    const { trees, index, node } = this.#parts;
    for (const tree of trees) {
      index.store.beginLayer();
      index.ensureRoot(tree.number, emptyRoot(metaOf(tree.rootStat)));
      await this.#indexDirectory(tree, tree.rootFd, ROOT_ID, []);
      const meta = metaOf(tree.rootStat);
      index.apply({ kind: 'setmeta', volume: tree.number, id: ROOT_ID, meta });
    }
    await this.#write();
    const volumes = trees.map(({ number, name }) => ({ name, ...summaryOf(index, number) }));
    return { kind: 'baseline', origin: node, volumes };
  }

  async #indexDirectory(
    tree: VolumeTree,
    fd: number,
    parent: FileId,
    path: readonly Buffer[],
  ): Promise<void> {
    for (const name of tree.namesIn(fd).sort((a, b) => a.compare(b))) {
      const stat = tree.stat({ dir: fd, name });
      if (stat === undefined) continue;
      if (tree.exclusions.excludes([...path, name], stat.type === 'directory')) continue;
      const id = this.#indexNode(tree, { dir: fd, name }, parent, stat);
      if (stat.type === 'directory') await this.#descend(tree, fd, id, [...path, name]);
      this.#sinceFlush += 1;
      if (this.#sinceFlush >= FILES_PER_FLUSH) await this.#write();
    }
  }

  async #descend(
    tree: VolumeTree,
    dir: number,
    id: FileId,
    path: readonly Buffer[],
  ): Promise<void> {
    const fd = openDirectoryAt(dir, path.at(-1) as Buffer);
    try {
      await this.#indexDirectory(tree, fd, id, path);
    } finally {
      closeSync(fd);
    }
  }

  #indexNode(
    tree: VolumeTree,
    place: { readonly dir: number; readonly name: Buffer },
    parent: FileId,
    stat: FileStat,
  ): FileId {
    const { index, local, port } = this.#parts;
    const volume = tree.number;
    const id = index.lastId(volume) + 1;
    const placed = { volume, id, parent, name: place.name, meta: metaOf(stat) };
    const readAtMs = Date.now();
    switch (stat.type) {
      case 'directory':
        index.apply({ kind: 'mkdir', ...placed });
        break;
      case 'symlink':
        index.apply({ kind: 'symlink', ...placed, target: readLinkAt(place.dir, place.name) });
        break;
      case 'file': {
        const chunks = withFile(place, chunksOf);
        index.apply({ kind: 'put', ...placed, chunks, data: undefined, fuzzy: false });
        this.files += 1;
        this.bytes += stat.size;
        break;
      }
      case 'other':
        port.onEvent({
          kind: 'unsupported',
          volume: tree.name,
          path: place.name.toString(),
          reason: 'a socket, pipe or device',
        });
        return id;
    }
    local.setSignature(volume, id, signatureOf(stat, readAtMs));
    return id;
  }

  async #write(): Promise<void> {
    const { index } = this.#parts;
    this.#sinceFlush = 0;
    index.settleSums();
    index.store.commitThrough(Number.POSITIVE_INFINITY);
    await this.#flush();
    index.store.beginLayer();
  }
}
