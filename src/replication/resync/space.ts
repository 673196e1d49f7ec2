/**
 * Whether the volumes and a full journal fit on this machine, before anything is
 * fetched.
 */

import { closeSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';
import { openDirectoryAt, openRoot, statOf } from '../../platform/linux/files-at.ts';
import type { VolumeTree } from '../volume/volume-tree.ts';

export interface SpaceNeed {
  /** Where it is needed. */
  readonly path: string;
  readonly bytes: number;
  /** Bytes that are there in the place already, and are kept or replaced. */
  readonly ownBytes: number;
}

/** The first file system that has too little room. */
export interface SpaceLack {
  readonly path: string;
  readonly needBytes: number;
  readonly freeBytes: number;
}

/** @returns what lacks room; undefined when everything fits */
export function findLack(needs: readonly SpaceNeed[]): SpaceLack | undefined {
  const devices = new Map<string, { path: string; needBytes: number; freeBytes: number }>();
  for (const { path, bytes, ownBytes } of needs) {
    const device = deviceOf(path);
    const { bavail, bsize } = statfsSync(path);
    const known = devices.get(device) ?? { path, needBytes: 0, freeBytes: bavail * bsize };
    known.needBytes += bytes;
    known.freeBytes += ownBytes;
    devices.set(device, known);
  }
  return [...devices.values()].find(({ needBytes, freeBytes }) => needBytes > freeBytes);
}

/** Bytes of all files in a volume, whatever they are. */
export function bytesIn(tree: VolumeTree): number {
  return bytesBelow(tree, tree.rootFd);
}

/** Bytes of the files in a directory of mailraft's own; 0 when there is none. */
export function bytesOf(directory: string): number {
  try {
    const names = readdirSync(directory);
    return names.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0;
    throw error;
  }
}

function bytesBelow(tree: VolumeTree, fd: number): number {
  let bytes = 0;
  for (const name of tree.namesIn(fd)) {
    const stat = tree.stat({ dir: fd, name });
    if (stat?.type === 'file') bytes += stat.size;
    if (stat?.type !== 'directory') continue;
    const below = openDirectoryAt(fd, name);
    try {
      bytes += bytesBelow(tree, below);
    } finally {
      closeSync(below);
    }
  }
  return bytes;
}

function deviceOf(path: string): string {
  const fd = openRoot(path);
  try {
    return statOf(fd).device;
  } finally {
    closeSync(fd);
  }
}
