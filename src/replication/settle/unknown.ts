/**
 * Keeps aside what stands on this disk and nobody else has, before anything is put
 * in its place (promise P3, safety rule 16).
 */

import { closeSync } from 'node:fs';
import { type FileStat, openDirectoryAt, readLinkAt } from '../../platform/linux/files-at.ts';
import { type FileId, ROOT_ID } from '../command/change.ts';
import type { FileIndex } from '../index/file-index.ts';
import type { LocalState } from '../index/local-state.ts';
import { contentHash } from '../index/records.ts';
import type { Salvage } from '../salvage/salvage-store.ts';
import { metaOf } from '../volume/meta.ts';
import { chunksOf, piecesOf, withFile } from '../volume/read-file.ts';
import { isSameInode, isUnchanged } from '../volume/signature.ts';
import { isAbsence, type PlaceOnDisk, type VolumeTree } from '../volume/volume-tree.ts';

/** Something on disk, and where it stands. */
export interface Found {
  readonly place: PlaceOnDisk;
  /** Names from the volume's root down to it. */
  readonly names: readonly Buffer[];
  readonly stat: FileStat;
}

export interface UnknownParts {
  readonly tree: VolumeTree;
  readonly index: FileIndex;
  readonly local: LocalState;
  readonly salvage: Salvage;
  readonly reason: string;
  /** Nodes whose looks prove nothing. */
  readonly isSuspect: (id: FileId) => boolean;
  /** Whether a file that was known, and stands under another name than that, is no loss. */
  readonly isThere: (id: FileId) => boolean;
  /** Whether the cluster has the content, at this place or anywhere that counts. */
  survives(content: Buffer, names: readonly Buffer[]): boolean;
  /** Whether the log has had a directory of that name. */
  hadDirectory(name: Buffer): boolean;
}

/** Keeps what is found, and everything in it, unless it survives elsewhere. */
export function keepUnknown(parts: UnknownParts, found: Found): void {
  switch (found.stat.type) {
    case 'file':
      keepFile(parts, found);
      return;
    case 'symlink': {
      // A link is made once and never written to.
      if (isKnownNode(parts, found.stat)) return;
      const target = readLinkAt(found.place.dir, found.place.name);
      if (!parts.survives(target, found.names)) parts.salvage.add(originOf(parts, found), [target]);
      return;
    }
    case 'directory':
      keepDirectory(parts, found);
      return;
    case 'other':
      // Sockets, pipes and devices hold nothing that could be kept.
      return;
  }
}

function keepFile(parts: UnknownParts, found: Found): void {
  if (isKnown(parts, found.stat)) return;
  withFile(found.place, (fd) => {
    const content = contentHash(chunksOf(fd));
    if (!parts.survives(content, found.names)) {
      parts.salvage.add(originOf(parts, found), piecesOf(fd));
    }
  });
}

/**
 * A file that this node knew as committed, and that was not touched since, is no loss:
 * as long as the cluster has not removed what was given another name here.
 */
function isKnown({ tree, local, isSuspect, isThere }: UnknownParts, stat: FileStat): boolean {
  const id = local.findByInode(tree.number, stat.inode.toString());
  if (id === undefined || isSuspect(id) || !isThere(id)) return false;
  const known = local.signature(tree.number, id);
  return known !== undefined && isUnchanged(known, stat);
}

/** The very file, directory or link that this node knew, whatever was done to it since. */
function isKnownNode({ tree, local }: UnknownParts, stat: FileStat): boolean {
  const id = local.findByInode(tree.number, stat.inode.toString());
  const known = id === undefined ? undefined : local.signature(tree.number, id);
  return known !== undefined && isSameInode(known, stat);
}

function keepDirectory(parts: UnknownParts, found: Found): void {
  let fd: number;
  try {
    fd = openDirectoryAt(found.place.dir, found.place.name);
  } catch (error) {
    if (isAbsence(error)) return;
    throw error;
  }
  try {
    const inside = parts.tree.namesIn(fd);
    if (inside.length === 0 && isOwnDirectory(parts, found))
      parts.salvage.addDirectory(originOf(parts, found));
    for (const name of inside) {
      const stat = parts.tree.stat({ dir: fd, name });
      const names = [...found.names, name];
      if (stat !== undefined) keepUnknown(parts, { place: { dir: fd, name }, names, stat });
    }
  } finally {
    closeSync(fd);
  }
}

/** There are no bytes to lose: only directories that are surely this node's are told of. */
function isOwnDirectory(parts: UnknownParts, { names, stat }: Found): boolean {
  const name = names.at(-1);
  return name !== undefined && !parts.hadDirectory(name) && !isKnownNode(parts, stat);
}

function originOf({ tree, reason }: UnknownParts, { names, stat }: Found) {
  const type = stat.type === 'other' ? 'file' : stat.type;
  return { volume: tree.name, names, type, meta: metaOf(stat), reason };
}

/** Whether the index has that content under that path. */
export function hasContentAt(
  index: FileIndex,
  volume: number,
  names: readonly Buffer[],
  content: Buffer,
): boolean {
  let id: FileId = ROOT_ID;
  for (const name of names) {
    const next = index.lookUp(volume, id, name);
    if (next === undefined) return false;
    id = next;
  }
  const record = index.find(volume, id);
  if (record?.type === 'file') return record.content.equals(content);
  return record?.type === 'symlink' && record.target.equals(content);
}
