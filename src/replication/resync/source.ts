/**
 * The member that has everything, answering one that fetches (safety rules 14, 15).
 */

import { randomInt } from 'node:crypto';
import { closeSync } from 'node:fs';
import { MailraftError } from '../../errors.ts';
import { ROOT_ID } from '../command/change.ts';
import { encodeState, STATE_KEY } from '../committed-state.ts';
import { sha256 } from '../index/records.ts';
import type { StoreSnapshot } from '../index/store.ts';
import type { Parts } from '../parts.ts';
import { CHUNK_BYTES, readPiece, withFile } from '../volume/read-file.ts';
import { isAbsence } from '../volume/volume-tree.ts';
import {
  bufferOf,
  type ChunkAnswer,
  chunkRequestOf,
  type ListAnswer,
  listRequestOf,
  type OpenAnswer,
} from './protocol.ts';

interface Session {
  readonly id: number;
  readonly snapshot: StoreSnapshot;
  /** Position of the log that the snapshot speaks of. */
  readonly index: number;
  usedAtMs: number;
}

/** A session that nobody asks is forgotten after so long. */
const IDLE_MS = 120_000;
const SESSION_MAX = 2 ** 48 - 1;
const PAGE_BYTES = 512 * 1024;

export class ResyncSource {
  readonly #parts: Parts;
  readonly #flush: () => Promise<void>;
  /** By the member that fetches: whoever begins anew has given up what it began before. */
  readonly #sessions = new Map<string, Session>();

  constructor(parts: Parts, flush: () => Promise<void>) {
    this.#parts = parts;
    this.#flush = flush;
  }

  /** The oldest position that someone is fetching; the journal is kept from there. */
  get oldestIndex(): number | undefined {
    this.#expire();
    const indexes = [...this.#sessions.values()].map((session) => session.index);
    return indexes.length === 0 ? undefined : Math.min(...indexes);
  }

  async answer(method: string, params: unknown, from: string): Promise<unknown> {
    switch (method) {
      case 'resync.open':
        return await this.#open(from);
      case 'resync.list':
        return await this.#list(params, from);
      case 'resync.chunk':
        return this.#chunk(params);
      default:
        throw new MailraftError('NOT_FOUND', `no method ${method}`);
    }
  }

  close(): void {
    for (const from of this.#sessions.keys()) this.#end(from);
  }

  async #open(from: string): Promise<OpenAnswer> {
    const { index, trees, state } = this.#parts;
    await this.#flush();
    // What is on disk was written in one transaction with its position.
    const snapshot = index.store.snapshot();
    const stored = index.store.getAt(STATE_KEY, snapshot) ?? encodeState(state.current);
    // A session of one member means nothing to the next one that leads.
    const id = randomInt(1, SESSION_MAX);
    this.#end(from);
    const usedAtMs = performance.now();
    this.#sessions.set(from, { id, snapshot, index: state.current.position.index, usedAtMs });
    const volumes = trees.map(({ number, name }) => {
      const root = index.recordAt(number, ROOT_ID, snapshot);
      if (root === undefined) throw new MailraftError('NOT_FOUND', `volume ${name} has no index`);
      return { number, name, root, lastId: index.lastId(number) };
    });
    return { session: id, state: stored, volumes };
  }

  async #list(params: unknown, from: string): Promise<ListAnswer> {
    const { session: id, volume, directory, after } = listRequestOf(params);
    const session = this.#sessions.get(from);
    if (session?.id !== id) throw new MailraftError('NOT_FOUND', `no session ${id}`);
    session.usedAtMs = performance.now();
    return await this.#parts.index.page(volume, directory, session.snapshot, {
      after: after === undefined || after === null ? undefined : bufferOf(after),
      bytesMax: PAGE_BYTES,
    });
  }

  /** A chunk of the file as it is now, if it still has the content that is asked for. */
  #chunk(params: unknown): ChunkAnswer {
    const { volume, id, at, hash, bytes } = chunkRequestOf(params);
    const { index, trees } = this.#parts;
    const tree = trees.find(({ number }) => number === volume);
    const record = index.find(volume, id);
    if (tree === undefined || record?.type !== 'file') return { data: null };
    if (bytes > CHUNK_BYTES) throw new MailraftError('DATA_INVALID', `a chunk of ${bytes} bytes`);
    // The directories that are open belong to whoever works on the volume meanwhile.
    const dir = tree.openPath(index.pathOf(volume, record.parent));
    if (dir === undefined) return { data: null };
    try {
      const place = { dir, name: record.name };
      const data = withFile(place, (fd) => readPiece(fd, at * CHUNK_BYTES, bytes));
      return sha256(data).equals(bufferOf(hash)) ? { data } : { data: null };
    } catch (error) {
      if (isAbsence(error)) return { data: null };
      throw error;
    } finally {
      closeSync(dir);
    }
  }

  #expire(): void {
    const now = performance.now();
    for (const [from, { usedAtMs }] of this.#sessions) {
      if (now - usedAtMs > IDLE_MS) this.#end(from);
    }
  }

  #end(from: string): void {
    void this.#sessions.get(from)?.snapshot.close();
    this.#sessions.delete(from);
  }
}
