/**
 * File systems of a test's own: a small one that can be filled, and a file that can not
 * be read. Mounting takes root; where that is not to be had the test is skipped.
 */

import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../src/errors.ts';
import type { Scratch } from './scratch.ts';

/** Mounts a file system of so many bytes; returns why not, if it can not be. */
export function mountSmallDisk(where: Scratch, path: string, bytes: number): string | undefined {
  mkdirSync(path, { recursive: true });
  return mount(where, path, ['-t', 'tmpfs', '-o', `size=${bytes}`, 'none']);
}

/** Makes reading the file an I/O error; returns why not, if it can not be. */
export function makeUnreadable(where: Scratch, path: string): string | undefined {
  // The memory of a process has nothing at its beginning that could be read.
  return mount(where, path, ['--bind', `/proc/${process.pid}/mem`]);
}

function mount(where: Scratch, path: string, args: readonly string[]): string | undefined {
  const { status, error, stderr } = spawnSync('mount', [...args, path], { encoding: 'utf8' });
  if (status !== 0) return `mounting takes root: ${error?.message ?? stderr.trim()}`;
  where.onClose(() => {
    spawnSync('umount', ['--lazy', path]);
  });
  return undefined;
}

/** Fills the file system of `directory` but for so many bytes; returns what frees it again. */
export function fill(directory: string, leaveBytes: number): () => void {
  const path = join(directory, 'ballast');
  const { bavail, bsize } = statfsSync(directory);
  const fd = openSync(path, 'w');
  const piece = Buffer.alloc(256 * 1024);
  try {
    for (let left = bavail * bsize - leaveBytes; left > 0; ) {
      left -= writeSync(fd, piece, 0, Math.min(left, piece.length));
    }
  } catch (error) {
    // Others write there as well: full is what it is to be.
    if (systemCode(error) !== 'ENOSPC') throw error;
  } finally {
    closeSync(fd);
  }
  return () => rmSync(path);
}
