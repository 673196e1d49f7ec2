/**
 * Contents that lie in entries of the journal: chunks, and small files as a whole.
 *
 * One entry holds those of many files, so what was read, or was at hand anyway, is kept
 * for a while: reading it once more for each file would cost the entry each time.
 */

import type { Change } from './command/change.ts';
import { decodeCommand } from './command/codec.ts';
import type { ReplicationPort } from './parts.ts';

/** Bytes of contents that are kept. */
const KEPT_BYTES_MAX = 64 * 1024 * 1024;

interface Kept {
  /** By hash, in hex. */
  readonly contents: ReadonlyMap<string, Buffer>;
  readonly bytes: number;
}

export class JournalledContents {
  readonly #port: Pick<ReplicationPort, 'readJournal'>;
  readonly #bytesMax: number;
  /** By the index of the entry, the one used last at the end. */
  readonly #kept = new Map<number, Kept>();
  #bytes = 0;

  constructor(port: Pick<ReplicationPort, 'readJournal'>, bytesMax: number = KEPT_BYTES_MAX) {
    this.#port = port;
    this.#bytesMax = bytesMax;
  }

  /** Keeps the contents of an entry that is at hand. */
  note(changes: readonly Change[], entryIndex: number): void {
    if (!this.#kept.has(entryIndex)) this.#keep(entryIndex, contentsOf(changes));
  }

  /** The content with that hash in that entry; undefined when the journal has it no more. */
  async find(hash: Buffer, entryIndex: number): Promise<Buffer | undefined> {
    const kept = this.#kept.get(entryIndex) ?? (await this.#read(entryIndex));
    if (kept === undefined) return undefined;
    this.#kept.delete(entryIndex);
    this.#kept.set(entryIndex, kept);
    return kept.contents.get(hash.toString('hex'));
  }

  /** Frees the memory; everything can be read again. */
  forget(): void {
    this.#kept.clear();
    this.#bytes = 0;
  }

  async #read(entryIndex: number): Promise<Kept | undefined> {
    const [entry] = await this.#port.readJournal(entryIndex, entryIndex + 1);
    if (entry === undefined) return undefined;
    const command = decodeCommand(entry.data);
    if (command.kind !== 'changes') return undefined;
    return this.#keep(entryIndex, contentsOf(command.changes));
  }

  #keep(entryIndex: number, contents: ReadonlyMap<string, Buffer>): Kept {
    const bytes = [...contents.values()].reduce((sum, { length }) => sum + length, 0);
    const kept = { contents, bytes };
    this.#bytes += bytes - (this.#kept.get(entryIndex)?.bytes ?? 0);
    this.#kept.set(entryIndex, kept);
    for (const [oldest, { bytes: freed }] of this.#kept) {
      if (this.#bytes <= this.#bytesMax || oldest === entryIndex) break;
      this.#kept.delete(oldest);
      this.#bytes -= freed;
    }
    return kept;
  }
}

function contentsOf(changes: readonly Change[]): ReadonlyMap<string, Buffer> {
  const contents = new Map<string, Buffer>();
  for (const change of changes) {
    if (change.kind === 'chunk') contents.set(change.hash.toString('hex'), change.data);
    const isWhole = change.kind === 'put' && change.data !== undefined;
    // A file whose bytes are in its change is one chunk, or none where it is empty.
    const [only] = isWhole ? change.chunks : [];
    if (isWhole && only !== undefined) {
      contents.set(only.hash.toString('hex'), change.data as Buffer);
    }
  }
  return contents;
}
