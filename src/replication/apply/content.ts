/**
 * Where the bytes of a file's content come from, when it is put on disk.
 *
 * Every chunk is checked against its hash, wherever it came from: a file appears
 * only with the content that the log says.
 */

import { MailraftError } from '../../errors.ts';
import type { ChunkRef } from '../command/change.ts';
import { sha256 } from '../index/records.ts';

/** Finds the bytes of a chunk; undefined when this source has none with that hash. */
export type ChunkSource = (chunk: ChunkRef) => Promise<Buffer | undefined> | Buffer | undefined;

/** A chunk that no source could give. */
export class ChunkMissing extends MailraftError {
  readonly chunk: ChunkRef;

  constructor(chunk: ChunkRef) {
    super('NOT_FOUND', `no source has chunk ${chunk.hash.toString('hex')} (${chunk.bytes} bytes)`);
    this.chunk = chunk;
  }
}

/** Asks one source after the other; what does not match the hash counts for nothing. */
export async function findChunk(chunk: ChunkRef, sources: readonly ChunkSource[]): Promise<Buffer> {
  for (const source of sources) {
    const bytes = await source(chunk);
    if (bytes !== undefined && bytes.length === chunk.bytes && sha256(bytes).equals(chunk.hash)) {
      return bytes;
    }
  }
  throw new ChunkMissing(chunk);
}
