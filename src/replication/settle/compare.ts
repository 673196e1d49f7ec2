/**
 * Compares a volume on disk with its index by looks, reading no content: everything
 * that surely is what the index says is passed over, the rest is told.
 */

import { closeSync } from 'node:fs';
import { type FileStat, openDirectoryAt } from '../../platform/linux/files-at.ts';
import { type FileId, ROOT_ID, sameMeta } from '../command/change.ts';
import type { FileIndex } from '../index/file-index.ts';
import { isSurely, type LocalState } from '../index/local-state.ts';
import type { NodeRecord } from '../index/records.ts';
import { metaOf } from '../volume/meta.ts';
import { isAbsence, type VolumeTree } from '../volume/volume-tree.ts';

/** A name whose file may differ from the index. */
export interface Difference {
  /**
   * `new` is on disk only, `gone` in the index only, `changed` in both and not surely
   * the same; `meta` is a directory whose metadata differ.
   */
  readonly kind: 'new' | 'gone' | 'changed' | 'meta';
  readonly parent: FileId;
  readonly name: Buffer;
  /** Names from the volume's root down to it, on disk. */
  readonly path: readonly Buffer[];
  readonly stat: FileStat | undefined;
  readonly id: FileId | undefined;
}

export interface CompareParts {
  readonly tree: VolumeTree;
  readonly index: FileIndex;
  readonly local: LocalState;
  /** Nodes that must be looked into whatever they look like. */
  readonly isSuspect: (id: FileId) => boolean;
}

interface Directory {
  readonly id: FileId;
  readonly fd: number;
  readonly path: readonly Buffer[];
}

/** Every difference of the volume, directories before what is in them. */
export async function* differencesOf(parts: CompareParts): AsyncGenerator<Difference> {
  const { tree, index } = parts;
  const root = index.find(tree.number, ROOT_ID);
  if (root !== undefined && !sameMeta(root.meta, metaOf(tree.rootStat))) {
    const name = Buffer.alloc(0);
    yield { kind: 'meta', parent: ROOT_ID, name, path: [], id: ROOT_ID, stat: tree.rootStat };
  }
  yield* compareDirectory(parts, { id: ROOT_ID, fd: tree.rootFd, path: [] });
}

async function* compareDirectory(
  parts: CompareParts,
  directory: Directory,
): AsyncGenerator<Difference> {
  const { tree, index } = parts;
  const onDisk = new Map(tree.namesIn(directory.fd).map((name) => [name.toString('latin1'), name]));
  for (const { name, id } of await index.children(tree.number, directory.id)) {
    onDisk.delete(name.toString('latin1'));
    yield* compareNode(parts, directory, name, id);
  }
  for (const name of onDisk.values()) {
    const stat = tree.stat({ dir: directory.fd, name });
    if (stat === undefined) continue;
    if (tree.exclusions.excludes([...directory.path, name], stat.type === 'directory')) continue;
    yield differenceOf('new', directory, name, { stat });
  }
}

async function* compareNode(
  parts: CompareParts,
  directory: Directory,
  name: Buffer,
  id: FileId,
): AsyncGenerator<Difference> {
  const { tree, index, local, isSuspect } = parts;
  const record = index.find(tree.number, id);
  const stat = tree.stat({ dir: directory.fd, name });
  if (record === undefined) return;
  if (stat === undefined) {
    yield differenceOf('gone', directory, name, { id });
    return;
  }
  if (record.type !== stat.type) {
    yield differenceOf('changed', directory, name, { id, stat });
    return;
  }
  if (record.type !== 'directory') {
    if (isSuspect(id) || !isSurely(local.signature(tree.number, id), record, stat)) {
      yield differenceOf('changed', directory, name, { id, stat });
    }
    return;
  }
  if (!sameMeta(record.meta, metaOf(stat))) {
    yield differenceOf('meta', directory, name, { id, stat });
  }
  yield* descend(parts, directory, record, id);
}

async function* descend(
  parts: CompareParts,
  directory: Directory,
  record: NodeRecord,
  id: FileId,
): AsyncGenerator<Difference> {
  let fd: number;
  try {
    fd = openDirectoryAt(directory.fd, record.name);
  } catch (error) {
    // Gone in the meantime: whoever took it away is seen another way.
    if (isAbsence(error)) return;
    throw error;
  }
  try {
    yield* compareDirectory(parts, { id, fd, path: [...directory.path, record.name] });
  } finally {
    closeSync(fd);
  }
}

function differenceOf(
  kind: Difference['kind'],
  directory: Directory,
  name: Buffer,
  { id, stat }: { readonly id?: FileId; readonly stat?: FileStat },
): Difference {
  return { kind, parent: directory.id, name, path: [...directory.path, name], id, stat };
}
