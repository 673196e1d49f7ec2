/**
 * File operations relative to an open directory (openat(2) and its family).
 *
 * Names are bytes and are never looked up through more than one step, and symbolic
 * links are never followed: whoever walks a tree this way stays in it, whatever
 * someone else renames or links at the same time.
 */

import { constants } from 'node:fs';
import { checked, cString, lastErrorIs, nativeAsync, nativeFunction, SystemError } from './libc.ts';

const openatCall = nativeFunction(
  'int openat(int dir, const uint8_t *name, int flags, uint32_t mode)',
);
const mkdiratCall = nativeFunction('int mkdirat(int dir, const uint8_t *name, uint32_t mode)');
const unlinkatCall = nativeFunction('int unlinkat(int dir, const uint8_t *name, int flags)');
const renameatCall = nativeFunction(
  'int renameat(int fromDir, const uint8_t *from, int toDir, const uint8_t *to)',
);
const symlinkatCall = nativeFunction(
  'int symlinkat(const uint8_t *target, int dir, const uint8_t *name)',
);
const readlinkatCall = nativeFunction(
  'long readlinkat(int dir, const uint8_t *name, uint8_t *buffer, size_t size)',
);
const fchownatCall = nativeFunction(
  'int fchownat(int dir, const uint8_t *name, uint32_t uid, uint32_t gid, int flags)',
);
const utimensatCall = nativeFunction(
  'int utimensat(int dir, const uint8_t *name, const uint8_t *times, int flags)',
);
const futimensCall = nativeFunction('int futimens(int fd, const uint8_t *times)');
const statxCall = nativeFunction(
  'int statx(int dir, const uint8_t *name, int flags, uint32_t mask, uint8_t *buffer)',
);
const syncfsAsync = nativeAsync('int syncfs(int fd)');
const syncFileRangeCall = nativeFunction(
  'int sync_file_range(int fd, int64_t offset, int64_t bytes, uint32_t flags)',
);
const flockCall = nativeFunction('int flock(int fd, int operation)');

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_REMOVEDIR = 0x200;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_AND_BTIME = 0x7ff | 0x800;
const UTIME_OMIT = 0x3ffffffen;
const O_CLOEXEC = 0o2000000;
const SYNC_FILE_RANGE_WRITE = 2;
const LOCK_EX = 2;
const LOCK_NB = 4;
const STATX_BYTES = 256;
const PATH_MAX = 4096;
const NO_NAME = Buffer.from([0]);

export type FileType = 'file' | 'directory' | 'symlink' | 'other';

/** A time as the system keeps it. */
export interface Timestamp {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** What statx(2) tells of a file. */
export interface FileStat {
  readonly type: FileType;
  /** Permission bits, with set-user-id, set-group-id and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly links: number;
  readonly inode: bigint;
  readonly device: string;
  readonly mtime: Timestamp;
  readonly ctime: Timestamp;
  /** When the file was made; zero where the file system does not tell. */
  readonly btime: Timestamp;
}

/** Opens a directory by its path; the last step is not followed if it is a link. */
export function openRoot(path: string): number {
  return openAt(AT_FDCWD, Buffer.from(path), constants.O_RDONLY | constants.O_DIRECTORY);
}

/** Opens a directory inside `dir`; never through a link. */
export function openDirectoryAt(dir: number, name: Uint8Array): number {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  return openAt(dir, name, flags);
}

/** Opens a file inside `dir` for reading; never through a link, never waiting for a pipe. */
export function openFileAt(dir: number, name: Uint8Array): number {
  return openAt(dir, name, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

/** Makes a new file inside `dir` and opens it for writing. */
export function createFileAt(dir: number, name: Uint8Array, mode = 0o600): number {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  return openAt(dir, name, flags, mode);
}

function openAt(dir: number, name: Uint8Array, flags: number, mode = 0): number {
  return checked(openatCall(dir, cString(name), flags | O_CLOEXEC, mode), 'openat', aboutOf(name));
}

export function makeDirectoryAt(dir: number, name: Uint8Array, mode = 0o700): void {
  checked(mkdiratCall(dir, cString(name), mode), 'mkdirat', aboutOf(name));
}

export function removeFileAt(dir: number, name: Uint8Array): void {
  checked(unlinkatCall(dir, cString(name), 0), 'unlinkat', aboutOf(name));
}

/** Removes an empty directory. */
export function removeDirectoryAt(dir: number, name: Uint8Array): void {
  checked(unlinkatCall(dir, cString(name), AT_REMOVEDIR), 'unlinkat', aboutOf(name));
}

/** Moves a file or directory, in the place of what has the new name. */
export function renameAt(
  from: { readonly dir: number; readonly name: Uint8Array },
  to: { readonly dir: number; readonly name: Uint8Array },
): void {
  const result = renameatCall(from.dir, cString(from.name), to.dir, cString(to.name));
  checked(result, 'renameat', () => `${textOf(from.name)} to ${textOf(to.name)}`);
}

export function symlinkAt(target: Uint8Array, dir: number, name: Uint8Array): void {
  checked(symlinkatCall(cString(target), dir, cString(name)), 'symlinkat', aboutOf(name));
}

export function readLinkAt(dir: number, name: Uint8Array): Buffer {
  const buffer = Buffer.allocUnsafe(PATH_MAX);
  const result = readlinkatCall(dir, cString(name), buffer, buffer.length);
  return buffer.subarray(0, checked(Number(result), 'readlinkat', aboutOf(name)));
}

/** Changes the owner of a file, directory or link. */
export function chownAt(dir: number, name: Uint8Array, uid: number, gid: number): void {
  const result = fchownatCall(dir, cString(name), uid, gid, AT_SYMLINK_NOFOLLOW);
  checked(result, 'fchownat', aboutOf(name));
}

/** Sets the modification time of a file, directory or link; the access time stays. */
export function setMtimeAt(dir: number, name: Uint8Array, mtime: Timestamp): void {
  const result = utimensatCall(dir, cString(name), timesOf(mtime), AT_SYMLINK_NOFOLLOW);
  checked(result, 'utimensat', aboutOf(name));
}

/** Sets the modification time of an open file or directory. */
export function setMtime(fd: number, mtime: Timestamp): void {
  checked(futimensCall(fd, timesOf(mtime)), 'futimens', () => `descriptor ${fd}`);
}

function timesOf({ seconds, nanoseconds }: Timestamp): Buffer {
  const times = Buffer.alloc(32);
  times.writeBigInt64LE(UTIME_OMIT, 8);
  times.writeBigInt64LE(BigInt(seconds), 16);
  times.writeBigInt64LE(BigInt(nanoseconds), 24);
  return times;
}

/** What is known of the file `name` in `dir`; of a link itself, not of its target. */
export function statAt(dir: number, name: Uint8Array): FileStat {
  const buffer = Buffer.allocUnsafe(STATX_BYTES);
  const result = statxCall(dir, cString(name), AT_SYMLINK_NOFOLLOW, STATX_BASIC_AND_BTIME, buffer);
  checked(result, 'statx', aboutOf(name));
  return fileStatIn(buffer);
}

/** Like `statAt`, but undefined when there is nothing of that name: the cheap way to ask. */
export function findAt(dir: number, name: Uint8Array): FileStat | undefined {
  const buffer = Buffer.allocUnsafe(STATX_BYTES);
  const result = statxCall(dir, cString(name), AT_SYMLINK_NOFOLLOW, STATX_BASIC_AND_BTIME, buffer);
  if (result < 0 && lastErrorIs('ENOENT')) return undefined;
  checked(result, 'statx', aboutOf(name));
  return fileStatIn(buffer);
}

/** What is known of an open file or directory. */
export function statOf(fd: number): FileStat {
  const buffer = Buffer.allocUnsafe(STATX_BYTES);
  const result = statxCall(fd, NO_NAME, AT_EMPTY_PATH, STATX_BASIC_AND_BTIME, buffer);
  checked(result, 'statx', () => `descriptor ${fd}`);
  return fileStatIn(buffer);
}

/** The fields of a `struct statx`. */
function fileStatIn(buffer: Buffer): FileStat {
  const mode = buffer.readUInt16LE(28);
  return {
    type: typeOf(mode),
    mode: mode & 0o7777,
    uid: buffer.readUInt32LE(20),
    gid: buffer.readUInt32LE(24),
    size: Number(buffer.readBigUInt64LE(40)),
    links: buffer.readUInt32LE(16),
    inode: buffer.readBigUInt64LE(32),
    device: `${buffer.readUInt32LE(136)}:${buffer.readUInt32LE(140)}`,
    btime: timeAt(buffer, 80),
    ctime: timeAt(buffer, 96),
    mtime: timeAt(buffer, 112),
  };
}

function timeAt(buffer: Buffer, offset: number): Timestamp {
  return {
    seconds: Number(buffer.readBigInt64LE(offset)),
    nanoseconds: buffer.readUInt32LE(offset + 8),
  };
}

function typeOf(mode: number): FileType {
  switch (mode & constants.S_IFMT) {
    case constants.S_IFREG:
      return 'file';
    case constants.S_IFDIR:
      return 'directory';
    case constants.S_IFLNK:
      return 'symlink';
    default:
      return 'other';
  }
}

/**
 * Begins to write out what is dirty of an open file, without waiting for it: pages that
 * a program changed through a mapping are write-protected from here on, so that its
 * next store changes the file's times (sync_file_range(2)).
 */
export function beginWriteOut(fd: number): void {
  const result = syncFileRangeCall(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
  checked(result, 'sync_file_range', () => `descriptor ${fd}`);
}

/** Makes everything on the file system of `fd` durable; another thread waits for it. */
export function syncFileSystemAsync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    syncfsAsync([fd], (result) => {
      // The code of the failure stayed in the other thread; any is as bad.
      if (result >= 0) resolve();
      else reject(new SystemError('EIO', 'syncfs', `descriptor ${fd}`));
    });
  });
}

/** Takes the exclusive lock of an open file; false when another process holds it. */
export function tryLock(fd: number): boolean {
  const result = flockCall(fd, LOCK_EX | LOCK_NB);
  if (result < 0 && lastErrorIs('EAGAIN')) return false;
  checked(result, 'flock', () => `descriptor ${fd}`);
  return true;
}

function aboutOf(name: Uint8Array): () => string {
  return () => textOf(name);
}

function textOf(name: Uint8Array): string {
  return JSON.stringify(Buffer.from(name).toString());
}
