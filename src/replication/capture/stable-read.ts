/**
 * Reads a file so that what was read is what the file was at one moment.
 *
 * Writing its data out is begun first: pages that a program changed through a mapping
 * are write-protected by that, so that a later store must change its time (safety rule
 * 18; waiting for the disk would prove no more, and costs a sync a file). What lies
 * between two equal looks is one state.
 */

import { closeSync } from 'node:fs';
import { beginWriteOut, type FileStat, openFileAt, statOf } from '../../platform/linux/files-at.ts';
import type { ChunkRef } from '../command/change.ts';
import { sha256 } from '../index/records.ts';
import { CHUNK_BYTES, chunksOf, readPiece } from '../volume/read-file.ts';
import { isSameState, type Signature, signatureOf } from '../volume/signature.ts';
import { isAbsence, type PlaceOnDisk } from '../volume/volume-tree.ts';

export interface StableContent {
  readonly stat: FileStat;
  readonly signature: Signature;
  readonly chunks: readonly ChunkRef[];
  /** The whole content, if it is no longer than a chunk. */
  readonly data: Buffer | undefined;
  /** Two looks were not equal: it is a mix of moments. */
  readonly isMixed: boolean;
}

/** @returns undefined when there is no such file any more */
export function readStable(place: PlaceOnDisk): StableContent | undefined {
  let fd: number;
  try {
    fd = openFileAt(place.dir, place.name);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
  try {
    beginWriteOut(fd);
    const readAtMs = Date.now();
    const before = statOf(fd);
    if (before.type !== 'file') return undefined;
    const { chunks, data } = contentOf(fd, before.size);
    const after = statOf(fd);
    const isMixed = !isSameState(before, after);
    return { stat: after, signature: signatureOf(after, readAtMs), chunks, data, isMixed };
  } finally {
    closeSync(fd);
  }
}

function contentOf(fd: number, size: number): Pick<StableContent, 'chunks' | 'data'> {
  if (size > CHUNK_BYTES) return { chunks: chunksOf(fd), data: undefined };
  const data = readPiece(fd, 0, CHUNK_BYTES);
  // An empty file is one empty chunk: every content has a hash.
  return { chunks: [{ hash: sha256(data), bytes: data.length }], data };
}
