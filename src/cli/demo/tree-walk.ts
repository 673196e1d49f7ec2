/**
 * Reads a whole directory tree as it is on the disk, to prove that trees are equal.
 *
 * It shares no code with what it checks: no file index, no path type, no hash of the
 * product. Names are raw bytes, so no name is too strange to be compared.
 */

import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import type { Tree, TreeEntry } from './tree-compare.ts';

/** The directory at the root that belongs to mailraft and is not replicated. */
const SKIPPED_AT_ROOT = '.mailraft';
const FILES_AT_ONCE = 8;
const READ_BYTES = 1024 * 1024;
const PERMISSIONS = 0o7777;

/** Walks `root`; the root itself is not an entry. The tree must hold still meanwhile. */
export async function walkTree(root: string): Promise<Tree> {
  const entries: [string, TreeEntry][] = [];
  const directories = [''];
  for (const directory of directories) {
    const paths = await listDirectory(root, directory);
    for (let at = 0; at < paths.length; at += FILES_AT_ONCE) {
      const batch = paths.slice(at, at + FILES_AT_ONCE);
      const read = await Promise.all(batch.map((path) => readEntry(root, path)));
      entries.push(...read);
      for (const [path, { type }] of read) if (type === 'directory') directories.push(path);
    }
  }
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The paths in one directory, as latin1 of their bytes. */
async function listDirectory(root: string, directory: string): Promise<string[]> {
  const names = await readdir(absolute(root, directory), 'buffer');
  return names
    .map((name) => name.toString('latin1'))
    .filter((name) => directory !== '' || name !== SKIPPED_AT_ROOT)
    .map((name) => (directory === '' ? name : `${directory}/${name}`));
}

function absolute(root: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')]);
}

async function readEntry(root: string, path: string): Promise<[string, TreeEntry]> {
  const at = absolute(root, path);
  const stat = await lstat(at, { bigint: true });
  const shared = {
    mode: Number(stat.mode) & PERMISSIONS,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtimeNs: stat.mtimeNs,
  };
  const nothing = { size: 0, sha256: '', target: '' };
  if (stat.isFile()) {
    return [path, { type: 'file', ...shared, ...nothing, ...(await readContent(at)) }];
  }
  if (stat.isSymbolicLink()) {
    const target = (await readlink(at, 'buffer')).toString('latin1');
    return [path, { type: 'symlink', ...shared, ...nothing, target }];
  }
  return [path, { type: stat.isDirectory() ? 'directory' : 'other', ...shared, ...nothing }];
}

async function readContent(path: Buffer): Promise<{ size: number; sha256: string }> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    let size = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES);
      if (bytesRead === 0) return { size, sha256: hash.digest('hex') };
      hash.update(buffer.subarray(0, bytesRead));
      size += bytesRead;
    }
  } finally {
    await file.close();
  }
}
