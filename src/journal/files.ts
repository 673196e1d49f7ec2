/**
 * The port to the file system that the journal needs, and its real version.
 *
 * Synchronous: the journal runs in a thread of its own, where one write and one
 * fdatasync after the other is the fastest there is.
 */

import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  unlinkSync,
  writevSync,
} from 'node:fs';
import { forgetCached } from '../platform/linux/page-cache.ts';

export interface JournalFiles {
  makeDirectory(path: string): void;
  list(path: string): readonly string[];
  /** Everything in a file as it is on the disk; what was written to it is synced first. */
  readAll(path: string): Buffer;
  /** Opens a new file for appending; it must not exist. */
  create(path: string): number;
  openForReading(path: string): number;
  read(fd: number, offset: number, bytes: number): Buffer;
  /** Appends all parts; throws when not everything was written. */
  append(fd: number, parts: readonly Uint8Array[]): void;
  truncate(fd: number, bytes: number): void;
  sync(fd: number): void;
  close(fd: number): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  /** Makes the names in a directory durable. */
  syncDirectory(path: string): void;
}

/** As many parts as one writev takes (IOV_MAX is 1024 on Linux). */
const PARTS_MAX = 512;

function appendAll(fd: number, parts: readonly Uint8Array[]): void {
  for (let first = 0; first < parts.length; first += PARTS_MAX) {
    let rest = parts.slice(first, first + PARTS_MAX);
    while (rest.length > 0) rest = without(rest, writevSync(fd, rest));
  }
}

/** What is left of the parts after so many bytes were written. */
function without(parts: readonly Uint8Array[], bytes: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let written = bytes;
  for (const part of parts) {
    if (written >= part.length) written -= part.length;
    else {
      rest.push(part.subarray(written));
      written = 0;
    }
  }
  return rest;
}

function readAt(fd: number, offset: number, bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytes);
  let got = 0;
  while (got < bytes) {
    const read = readSync(fd, buffer, got, bytes - got, offset + got);
    if (read === 0) return buffer.subarray(0, got);
    got += read;
  }
  return buffer;
}

/**
 * What a killed process wrote and did not sync would pass for durable, and what a
 * failing disk did not take would pass for written, if memory were read.
 */
function readFromDisk(path: string): Buffer {
  const fd = openSync(path, 'r');
  try {
    fdatasyncSync(fd);
    forgetCached(fd);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

export const realFiles: JournalFiles = {
  makeDirectory: (path) => mkdirSync(path, { recursive: true, mode: 0o700 }),
  list: (path) => readdirSync(path),
  readAll: readFromDisk,
  create: (path) => openSync(path, 'ax', 0o600),
  openForReading: (path) => openSync(path, 'r'),
  read: readAt,
  append: appendAll,
  truncate: (fd, bytes) => ftruncateSync(fd, bytes),
  sync: (fd) => fdatasyncSync(fd),
  close: (fd) => closeSync(fd),
  rename: (from, to) => renameSync(from, to),
  remove: (path) => unlinkSync(path),
  syncDirectory: (path) => {
    const fd = openSync(path, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  },
};
