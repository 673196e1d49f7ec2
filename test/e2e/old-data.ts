/**
 * Files that stood in a volume before there was a cluster. What is in a file follows
 * from its path and its version alone.
 */

import { spawnSync } from 'node:child_process';
import { createCipheriv, createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const KIB = 1024;
const MIB = 1024 * KIB;
const POOL_BYTES = 8 * MIB;
const FILES_PER_DIRECTORY = 60;
const FIRST_MTIME_S = Date.UTC(2019, 0, 1) / 1000;
const DAY_S = 86_400;

/** Bytes without a pattern, the same in every run. */
const pool: Buffer = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(
  Buffer.alloc(POOL_BYTES),
);

/** The paths of so many old files, spread over directories of two levels. */
export function oldPaths(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => {
    const directory = Math.floor(at / FILES_PER_DIRECTORY);
    return `archive/${2010 + (directory % 10)}/box-${directory}/${at}.dat`;
  });
}

/** Writes an old file; another version has another content and time, maybe another size. */
export function writeOld(root: string, path: string, version = 1): void {
  const at = join(root, path);
  mkdirSync(dirname(at), { recursive: true });
  writeFileSync(at, contentOf(path, version));
  const mtime = FIRST_MTIME_S + (draw(path, version)(0, 1000) + 0.25) * DAY_S;
  utimesSync(at, mtime, mtime);
}

/** What old trees have besides files: links, modes that matter, directories that are empty. */
export function writeOddities(root: string): void {
  mkdirSync(join(root, 'archive/empty'), { recursive: true, mode: 0o750 });
  symlinkSync('2010', join(root, 'archive/latest'));
  symlinkSync('../nowhere', join(root, 'archive/broken'));
  writeFileSync(join(root, 'archive/no bytes'), '', { mode: 0o400 });
  writeFileSync(join(root, 'archive/names are bytes \u00fc\u4e16'), 'text', { mode: 0o600 });
}

/** A copy that is exact to the nanosecond, as an administrator makes it. */
export function copyTree(from: string, to: string): void {
  const { status, stderr } = spawnSync('cp', ['-a', `${from}/.`, to], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cp: ${stderr}`);
}

function contentOf(path: string, version: number): Buffer {
  const random = draw(path, version);
  // The size of most versions is that of the first one: looks alone do not tell them apart.
  const size = version % 3 === 0 ? sizeOf(random) : sizeOf(draw(path, 1));
  const offset = random(0, POOL_BYTES - size);
  return pool.subarray(offset, offset + size);
}

/** Most are small, one in a hundred is of some hundred KiB, a few are of several MiB. */
function sizeOf(random: (min: number, max: number) => number): number {
  const kind = random(0, 1000);
  if (kind < 2) return random(2 * MIB, 4 * MIB);
  if (kind < 8) return random(100 * KIB, 400 * KIB);
  return random(1, 8 * KIB);
}

/** Whole numbers from `min` to below `max`, drawn from what they are for. */
function draw(path: string, version: number): (min: number, max: number) => number {
  const seed = createHash('sha256').update(`${version} ${path}`).digest();
  let at = 0;
  return (min, max) => {
    const value = seed.readUInt32LE((at * 4) % 32);
    at += 1;
    return min + (value % (max - min));
  };
}
