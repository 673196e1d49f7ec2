/**
 * Where in the journal the chunks lie whose file was not put yet.
 *
 * Chunks come directly before the `put` that names them; until that is applied, the
 * journal must not be cut below them (safety rule 13). Any other change says that
 * theirs does not come: the file was changed while it was read.
 */

import type { Change, ChunkRef } from './command/change.ts';
import type { IndexStore } from './index/store.ts';
import type { JournalledContents } from './journalled-contents.ts';

const CHUNK = 'c'.charCodeAt(0);
const HASH_BYTES = 32;

export class ChunkEntries {
  readonly #store: IndexStore;
  readonly #entries = new Map<string, number>();
  /** Where their bytes are read. */
  readonly contents: JournalledContents;

  constructor(store: IndexStore, contents: JournalledContents) {
    this.#store = store;
    this.contents = contents;
  }

  /** Reads what an earlier run left. */
  async load(): Promise<void> {
    for await (const [key, value] of this.#store.scan(Buffer.from([CHUNK]))) {
      this.#entries.set(key.toString('hex', 1), value.readUIntBE(0, 6));
    }
  }

  /** Index of the entry that holds a chunk, by the chunk's hash in hex. */
  get entries(): ReadonlyMap<string, number> {
    return this.#entries;
  }

  /** The oldest entry that a file to come may still need. */
  get oldest(): number | undefined {
    return this.#entries.size === 0 ? undefined : Math.min(...this.#entries.values());
  }

  /** Notes the chunks of an entry, within the open layer. */
  add(changes: readonly Change[], entryIndex: number): void {
    for (const change of changes) {
      if (change.kind !== 'chunk' || this.#entries.has(change.hash.toString('hex'))) continue;
      const value = Buffer.allocUnsafe(6);
      value.writeUIntBE(entryIndex, 0, 6);
      this.#store.put(keyOf(change.hash), value);
      this.#entries.set(change.hash.toString('hex'), entryIndex);
    }
  }

  /** The changes were taken: of all chunks only those behind their last file count still. */
  passed(changes: readonly Change[]): void {
    const last = changes.findLastIndex(({ kind }) => kind !== 'chunk');
    if (last < 0) return;
    const awaited = changes
      .slice(last + 1)
      .flatMap((change) => (change.kind === 'chunk' ? [change.hash.toString('hex')] : []));
    for (const hash of [...this.#entries.keys()]) {
      if (awaited.includes(hash)) continue;
      this.#entries.delete(hash);
      this.#store.delete(keyOf(Buffer.from(hash, 'hex')));
    }
  }

  /** The bytes of a chunk, out of the journal; undefined when it has none. */
  async find({ hash }: ChunkRef): Promise<Buffer | undefined> {
    const entryIndex = this.#entries.get(hash.toString('hex'));
    return entryIndex === undefined ? undefined : await this.contents.find(hash, entryIndex);
  }
}

function keyOf(hash: Buffer): Buffer {
  const key = Buffer.allocUnsafe(1 + HASH_BYTES);
  key[0] = CHUNK;
  hash.copy(key, 1);
  return key;
}
