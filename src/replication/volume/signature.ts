/**
 * How a file looked from outside when its content was read, and what that proves.
 *
 * Equal signatures mean equal content only if nothing can have been written after
 * the reading began with the clock of the file system still showing the same time.
 * A file that changed so shortly before it was read is *racy*: its signature
 * dismisses nothing (safety rule 18).
 */

import type { FileStat, Timestamp } from '../../platform/linux/files-at.ts';

export interface Signature {
  readonly inode: string;
  readonly btime: string;
  readonly size: number;
  readonly mtime: string;
  readonly ctime: string;
  /** Read so soon after a change that a later one could look the same. */
  readonly racy: boolean;
}

/** A change younger than this when reading began leaves a signature that proves nothing. */
export const RACY_MS = 20;

const textOf = ({ seconds, nanoseconds }: Timestamp): string => `${seconds}.${nanoseconds}`;
const msOf = ({ seconds, nanoseconds }: Timestamp): number => seconds * 1000 + nanoseconds / 1e6;

/** @param readAtMs wall clock when the reading of the content began */
export function signatureOf(stat: FileStat, readAtMs: number): Signature {
  const changedAtMs = Math.max(msOf(stat.mtime), msOf(stat.ctime));
  return {
    inode: stat.inode.toString(),
    btime: textOf(stat.btime),
    size: stat.type === 'directory' ? 0 : stat.size,
    mtime: textOf(stat.mtime),
    ctime: textOf(stat.ctime),
    racy: changedAtMs > readAtMs - RACY_MS,
  };
}

/** Whether nothing was written between two looks at a file. */
export function isSameState(a: FileStat, b: FileStat): boolean {
  return (
    a.inode === b.inode &&
    a.size === b.size &&
    textOf(a.mtime) === textOf(b.mtime) &&
    textOf(a.ctime) === textOf(b.ctime)
  );
}

/** Whether the file surely has the content that it had when the signature was taken. */
export function isUnchanged(known: Signature, stat: FileStat): boolean {
  return !known.racy && isSameFile(known, stat) && known.ctime === textOf(stat.ctime);
}

/**
 * Whether it is the same file with the same content, maybe under another name: a
 * rename changes nothing but ctime.
 */
export function isSameFile(known: Signature, stat: FileStat): boolean {
  return (
    known.inode === stat.inode.toString() &&
    known.btime === textOf(stat.btime) &&
    known.size === (stat.type === 'directory' ? 0 : stat.size) &&
    known.mtime === textOf(stat.mtime)
  );
}

/** Whether it is the same file or directory, whatever was written to it. */
export function isSameInode(known: Signature, stat: FileStat): boolean {
  return known.inode === stat.inode.toString() && known.btime === textOf(stat.btime);
}
