/**
 * Where in the journal the chunks lie whose files were not put yet.
 *
 * A chunk's entry comes before the `put` that names it; until that is applied, the
 * journal must not be cut below the chunk (safety rule 13).
 */

import type { ChunkRef } from './command/change.ts';
import { decodeCommand } from './command/codec.ts';
import type { IndexStore } from './index/store.ts';
import type { ReplicationPort } from './parts.ts';

const CHUNK = 'c'.charCodeAt(0);
const HASH_BYTES = 32;

export class ChunkEntries {
  readonly #store: IndexStore;
  readonly #port: ReplicationPort;
  /** Entries whose chunks are not used yet, with how many. */
  readonly #open = new Map<number, number>();

  constructor(store: IndexStore, port: ReplicationPort) {
    this.#store = store;
    this.#port = port;
  }

  /** Reads what an earlier run left. */
  async load(): Promise<void> {
    for await (const [, value] of this.#store.scan(Buffer.from([CHUNK]))) {
      this.#count(value.readUIntBE(0, 6), 1);
    }
  }

  /** The oldest entry that a file to come may still need. */
  get oldest(): number | undefined {
    return this.#open.size === 0 ? undefined : Math.min(...this.#open.keys());
  }

  /** Notes a chunk's entry, within the open layer. */
  add(hash: Buffer, entryIndex: number): void {
    if (this.#store.get(keyOf(hash)) !== undefined) return;
    const value = Buffer.allocUnsafe(6);
    value.writeUIntBE(entryIndex, 0, 6);
    this.#store.put(keyOf(hash), value);
    this.#count(entryIndex, 1);
  }

  /** The file that needed them is there, within the open layer. */
  use(chunks: readonly ChunkRef[]): void {
    for (const { hash } of chunks) {
      const value = this.#store.get(keyOf(hash));
      if (value === undefined) continue;
      this.#store.delete(keyOf(hash));
      this.#count(value.readUIntBE(0, 6), -1);
    }
  }

  /** The bytes of a chunk, out of the journal; undefined when it has none. */
  async find({ hash }: ChunkRef): Promise<Buffer | undefined> {
    const value = this.#store.get(keyOf(hash));
    if (value === undefined) return undefined;
    return await readChunk(this.#port, hash, value.readUIntBE(0, 6));
  }

  #count(entryIndex: number, by: number): void {
    const left = (this.#open.get(entryIndex) ?? 0) + by;
    if (left > 0) this.#open.set(entryIndex, left);
    else this.#open.delete(entryIndex);
  }
}

/** The chunk or inline content with that hash in a journal entry. */
export async function readChunk(
  port: ReplicationPort,
  hash: Buffer,
  entryIndex: number,
): Promise<Buffer | undefined> {
  const [entry] = await port.readJournal(entryIndex, entryIndex + 1);
  if (entry === undefined) return undefined;
  const command = decodeCommand(entry.data);
  if (command.kind !== 'changes') return undefined;
  for (const change of command.changes) {
    if (change.kind === 'chunk' && change.hash.equals(hash)) return change.data;
    if (change.kind !== 'put' || change.data === undefined) continue;
    if (change.chunks.some((chunk) => chunk.hash.equals(hash))) return change.data;
  }
  return undefined;
}

function keyOf(hash: Buffer): Buffer {
  const key = Buffer.allocUnsafe(1 + HASH_BYTES);
  key[0] = CHUNK;
  hash.copy(key, 1);
  return key;
}
