/**
 * The key-value store under the file index: level, with what is not yet written to
 * it kept in memory in layers.
 *
 * Each applied or proposed command writes one layer. Layers become durable in order,
 * once their command is committed; a primary's layers of proposals that came to
 * nothing are thrown away. Reads see all layers.
 */

import { statfsSync } from 'node:fs';
import { Level } from 'level';
import { assert, MailraftError } from '../../errors.ts';

interface Layer {
  readonly sequence: number;
  /** What each key became; undefined when it was removed. Keys are bytes as latin1. */
  readonly writes: Map<string, Buffer | undefined>;
  isCommitted: boolean;
}

interface Latest {
  readonly value: Buffer | undefined;
  readonly sequence: number;
}

type Database = Level<Buffer, Buffer>;
export type StoreSnapshot = ReturnType<Database['snapshot']>;

/**
 * Nothing is written to the store with less room than this, in bytes. Once a write has
 * failed for want of room level's own log is not to be trusted before it is opened anew;
 * so it is not brought to that, by as much as it may write at a time, compaction included.
 */
const RESERVE_BYTES = 32 * 1024 * 1024;

export class IndexStore {
  readonly #db: Database;
  readonly #path: string;
  #layers: Layer[] = [];
  /** The latest write of each key in all layers. */
  #latest = new Map<string, Latest>();
  /** Keys in `#latest` by their group, so that a directory is listed without reading all. */
  #groups = new Map<string, Set<string>>();
  readonly #groupBytes: number;
  #sequence = 0;
  #flushing: Promise<void> = Promise.resolve();

  private constructor(db: Database, path: string, groupBytes: number) {
    this.#db = db;
    this.#path = path;
    this.#groupBytes = groupBytes;
  }

  /** @param groupBytes keys are listed by prefixes of this length, see `list` */
  static async open(path: string, groupBytes: number): Promise<IndexStore> {
    const db: Database = new Level(path, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
    await db.open();
    return new IndexStore(db, path, groupBytes);
  }

  async close(): Promise<void> {
    await this.#flushing;
    await this.#db.close();
  }

  get(key: Buffer): Buffer | undefined {
    const latest = this.#latest.get(key.toString('latin1'));
    return latest === undefined ? this.#db.getSync(key) : latest.value;
  }

  /** Opens a layer; writes go to it until the next one is opened. */
  beginLayer(): number {
    this.#sequence += 1;
    this.#layers.push({ sequence: this.#sequence, writes: new Map(), isCommitted: false });
    return this.#sequence;
  }

  put(key: Buffer, value: Buffer): void {
    this.#write(key, value);
  }

  delete(key: Buffer): void {
    this.#write(key, undefined);
  }

  /** Layers up to `sequence` may be written to disk. */
  commitThrough(sequence: number): void {
    for (const layer of this.#layers) if (layer.sequence <= sequence) layer.isCommitted = true;
  }

  /** Throws away all layers that are not committed. */
  rollback(): void {
    const kept = this.#layers.filter((layer) => layer.isCommitted);
    if (kept.length === this.#layers.length) return;
    this.#layers = kept;
    this.#latest = new Map();
    this.#groups = new Map();
    for (const { sequence, writes } of kept) {
      for (const [key, value] of writes) this.#note(key, { value, sequence });
    }
  }

  /** Number of keys that are in memory only. */
  get pendingKeys(): number {
    return this.#latest.size;
  }

  /**
   * Writes committed layers to disk, in one transaction.
   *
   * @param sync whether it must survive a loss of power
   * @param alongside what is written in the same transaction; asked when the layers
   *   are taken, so that both speak of the same moment
   * @throws {MailraftError} `NO_SPACE` when there is too little room; nothing is lost
   */
  flush(
    sync: boolean,
    alongside: () => readonly (readonly [Buffer, Buffer])[] = () => [],
  ): Promise<void> {
    const flushed = this.#flushing.then(() => this.#flush(sync, alongside()));
    // A failure is told to who asked for this flush; the next one fails by itself.
    this.#flushing = flushed.catch(() => undefined);
    return flushed;
  }

  /**
   * Keys that begin with `prefix`, which is one group, and their values, by key; layers
   * included.
   */
  async list(prefix: Buffer): Promise<readonly (readonly [Buffer, Buffer])[]> {
    assert(prefix.length === this.#groupBytes, 'a listing is of one group');
    const changed = this.#groups.get(prefix.toString('latin1')) ?? new Set<string>();
    const overlay = new Map([...changed].map((key) => [key, this.#latest.get(key)?.value]));
    const found: (readonly [Buffer, Buffer])[] = [];
    for await (const [key, value] of this.#db.iterator(rangeOf(prefix))) {
      if (!overlay.has(key.toString('latin1'))) found.push([key, value]);
    }
    for (const [key, value] of overlay) {
      if (value !== undefined) found.push([Buffer.from(key, 'latin1'), value]);
    }
    return found.sort(([a], [b]) => a.compare(b));
  }

  /** All that is on disk under `prefix`, without layers, as of a snapshot. */
  scan(prefix: Buffer, snapshot?: StoreSnapshot, after?: Buffer): AsyncIterable<[Buffer, Buffer]> {
    const range = rangeOf(prefix);
    const from = after === undefined ? {} : { gt: after, gte: undefined };
    const at = snapshot === undefined ? {} : { snapshot };
    return this.#db.iterator({ ...range, ...from, ...at } as typeof range);
  }

  /** What is on disk now, for reading it later as it is now. */
  snapshot(): StoreSnapshot {
    return this.#db.snapshot();
  }

  /** A value as of a snapshot. */
  getAt(key: Buffer, snapshot: StoreSnapshot): Buffer | undefined {
    return this.#db.getSync(key, { snapshot });
  }

  /** Removes everything under `prefix`, on disk and in memory. */
  async clear(prefix: Buffer): Promise<void> {
    await this.flush(false);
    assert(this.#latest.size === 0, 'keys are cleared while commands are under way');
    await this.#db.clear(rangeOf(prefix));
  }

  async #flush(sync: boolean, alongside: readonly (readonly [Buffer, Buffer])[]): Promise<void> {
    const pending = this.#layers.findIndex((layer) => !layer.isCommitted);
    const ready = this.#layers.slice(0, pending < 0 ? this.#layers.length : pending);
    const last = ready.at(-1)?.sequence ?? 0;
    if (ready.length === 0 && alongside.length === 0) return;
    this.#checkRoom();
    const writes = new Map<string, Buffer | undefined>();
    for (const layer of ready) for (const [key, value] of layer.writes) writes.set(key, value);
    const stated = alongside.map(([key, value]) => ({ type: 'put', key, value }) as const);
    const operations = [...writes].map(([text, value]) => {
      const key = Buffer.from(text, 'latin1');
      return value === undefined
        ? ({ type: 'del', key } as const)
        : ({ type: 'put', key, value } as const);
    });
    await this.#db.batch([...operations, ...stated], { sync });
    this.#layers = this.#layers.filter((layer) => layer.sequence > last);
    for (const key of writes.keys()) this.#forget(key, last);
  }

  #checkRoom(): void {
    const { bavail, bsize } = statfsSync(this.#path);
    const freeBytes = bavail * bsize;
    if (freeBytes >= RESERVE_BYTES) return;
    throw new MailraftError(
      'NO_SPACE',
      `the file index needs ${RESERVE_BYTES} bytes free in ${JSON.stringify(this.#path)}, ` +
        `there are ${freeBytes}: free some`,
    );
  }

  #write(key: Buffer, value: Buffer | undefined): void {
    const layer = this.#layers.at(-1);
    assert(layer !== undefined && !layer.isCommitted, 'a write without an open layer');
    const text = key.toString('latin1');
    layer.writes.set(text, value);
    this.#note(text, { value, sequence: layer.sequence });
  }

  #note(key: string, latest: Latest): void {
    this.#latest.set(key, latest);
    const group = key.slice(0, this.#groupBytes);
    const keys = this.#groups.get(group);
    if (keys === undefined) this.#groups.set(group, new Set([key]));
    else keys.add(key);
  }

  #forget(key: string, through: number): void {
    const latest = this.#latest.get(key);
    if (latest === undefined || latest.sequence > through) return;
    this.#latest.delete(key);
    const group = key.slice(0, this.#groupBytes);
    const keys = this.#groups.get(group);
    keys?.delete(key);
    if (keys?.size === 0) this.#groups.delete(group);
  }
}

function rangeOf(prefix: Buffer): { gte: Buffer; lt: Buffer } {
  const end = Buffer.from(prefix);
  // The prefix ends in bytes that are not all 0xff: a letter comes first.
  for (let at = end.length - 1; at >= 0; at -= 1) {
    const byte = end[at] as number;
    if (byte < 0xff) {
      end[at] = byte + 1;
      return { gte: prefix, lt: end.subarray(0, at + 1) };
    }
  }
  return { gte: prefix, lt: Buffer.alloc(prefix.length + 1, 0xff) };
}
