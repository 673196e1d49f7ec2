/** Reading file content in pieces, and hashing it chunk by chunk. */

import { closeSync, readSync } from 'node:fs';
import { openFileAt } from '../../platform/linux/files-at.ts';
import type { ChunkRef } from '../command/change.ts';
import { sha256 } from '../index/records.ts';
import type { PlaceOnDisk } from './volume-tree.ts';

/** Content is cut into pieces of this size; what is shorter is one piece. */
export const CHUNK_BYTES: number = 512 * 1024;

/** Runs `work` with the file open; closes it whatever happens. */
export function withFile<T>(place: PlaceOnDisk, work: (fd: number) => T): T {
  const fd = openFileAt(place.dir, place.name);
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}

/** The bytes of `[offset, offset + bytes)`, fewer at the end of the file. */
export function readPiece(fd: number, offset: number, bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytes);
  let got = 0;
  while (got < bytes) {
    const read = readSync(fd, buffer, got, bytes - got, offset + got);
    if (read === 0) break;
    got += read;
  }
  return buffer.subarray(0, got);
}

/** All pieces of an open file, in order; one empty piece for an empty file. */
export function* piecesOf(fd: number): Generator<Buffer> {
  for (let offset = 0; ; offset += CHUNK_BYTES) {
    const piece = readPiece(fd, offset, CHUNK_BYTES);
    if (piece.length > 0 || offset === 0) yield piece;
    if (piece.length < CHUNK_BYTES) return;
  }
}

/** The chunks of an open file as it is now; an empty file is one empty chunk. */
export function chunksOf(fd: number): ChunkRef[] {
  return Array.from(piecesOf(fd), (piece) => ({ hash: sha256(piece), bytes: piece.length }));
}

/** The chunks of a file as it is now. */
export function chunksAt(place: PlaceOnDisk): ChunkRef[] {
  return withFile(place, chunksOf);
}
