/**
 * Asks the member that leads for the contents of files, chunk by chunk.
 *
 * Whoever can not be reached, or has moved on, gives nothing: the file is missing then,
 * and is asked for again.
 */

import { isMailraftError } from '../../errors.ts';
import type { ChunkRef, FileId } from '../command/change.ts';
import type { ReplicationPort } from '../parts.ts';
import type { FetchContent } from '../settle/reconcile.ts';
import { bufferOf, type ChunkAnswer } from './protocol.ts';

export class ContentFetch {
  readonly #port: ReplicationPort;
  /** Bytes that came from peers, since the start. */
  bytes = 0;

  constructor(port: ReplicationPort) {
    this.#port = port;
  }

  readonly fetch: FetchContent = (volume, id, record) => async (chunk) => {
    const at = record.chunks.findIndex(({ hash }) => hash.equals(chunk.hash));
    return at < 0 ? undefined : await this.#ask({ volume, id, at }, chunk);
  };

  async #ask(
    place: { readonly volume: number; readonly id: FileId; readonly at: number },
    { hash, bytes }: ChunkRef,
  ): Promise<Buffer | undefined> {
    try {
      const asked = { ...place, hash, bytes };
      const answer = (await this.#port.askLeader('resync.chunk', asked)) as ChunkAnswer;
      if (answer.data === null || answer.data === undefined) return undefined;
      const data = bufferOf(answer.data);
      this.bytes += data.length;
      return data;
    } catch (error) {
      if (isMailraftError(error) && error.code !== 'INVARIANT') return undefined;
      throw error;
    }
  }
}
