/**
 * The file index: what every volume consists of at one position of the log.
 *
 * It is a function of the log alone: the same changes give the same index on every
 * member, byte for byte (the keys under `local` excepted, which say how a node's own
 * disk looks). It is advanced in one transaction with its position (safety rule 11).
 */

import { assert, MailraftError } from '../../errors.ts';
import {
  contentBytes,
  type FileChange,
  type FileId,
  type RenameChange,
  ROOT_ID,
} from '../command/change.ts';
import {
  contentHash,
  type DirectoryRecord,
  decodeRecord,
  encodeRecord,
  HASH_BYTES,
  type NodeRecord,
  seal,
  type Unsealed,
  xorInto,
} from './records.ts';
import type { IndexStore, StoreSnapshot } from './store.ts';

/** What a change did to the index, for carrying it out on disk. */
export interface Effect {
  readonly volume: number;
  readonly id: FileId;
  /** What had the identity before; undefined when it is new. */
  readonly before: NodeRecord | undefined;
  /** What has it now; undefined when it is removed. */
  readonly after: NodeRecord | undefined;
  /** What had the name before and is gone. */
  readonly replaced: { readonly id: FileId; readonly record: NodeRecord } | undefined;
}

/** Files and bytes that came or went below a directory. */
interface Balance {
  files: number;
  bytes: number;
}

const NAME = 'n'.charCodeAt(0);
const NODE = 'i'.charCodeAt(0);
/** Letter, volume, identity of the directory: what the names of one directory share. */
export const GROUP_BYTES = 10;

function keyOf(letter: number, volume: number, id: FileId, tail: Uint8Array = NO_BYTES): Buffer {
  const key = Buffer.allocUnsafe(GROUP_BYTES + tail.length);
  key[0] = letter;
  key[1] = volume;
  key.writeUInt16BE(0, 2);
  key.writeUIntBE(id, 4, 6);
  key.set(tail, GROUP_BYTES);
  return key;
}
const NO_BYTES = new Uint8Array(0);

/** The node of that identity, straight from the store. */
export function findRecord(store: IndexStore, volume: number, id: FileId): NodeRecord | undefined {
  const bytes = store.get(keyOf(NODE, volume, id));
  return bytes === undefined ? undefined : decodeRecord(bytes);
}

export class FileIndex {
  readonly #store: IndexStore;
  /** Directories that changed in the open layer, with what came and went in them. */
  readonly #touched = new Map<string, { volume: number; id: FileId; balance: Balance }>();

  constructor(store: IndexStore) {
    this.#store = store;
  }

  get store(): IndexStore {
    return this.#store;
  }

  /** The node of that identity. */
  find(volume: number, id: FileId): NodeRecord | undefined {
    return findRecord(this.#store, volume, id);
  }

  /** The directory of that identity. Throws when there is none. */
  getDirectory(volume: number, id: FileId): DirectoryRecord {
    const record = this.find(volume, id);
    if (record?.type === 'directory') return record;
    throw new MailraftError('DATA_INVALID', `volume ${volume} has no directory ${id}`);
  }

  /** The identity that has `name` in the directory `parent`. */
  lookUp(volume: number, parent: FileId, name: Uint8Array): FileId | undefined {
    const bytes = this.#store.get(keyOf(NAME, volume, parent, name));
    return bytes?.readUIntBE(0, 6);
  }

  /** Names and identities in a directory, by name. */
  async children(
    volume: number,
    parent: FileId,
  ): Promise<readonly { readonly name: Buffer; readonly id: FileId }[]> {
    const listed = await this.#store.list(keyOf(NAME, volume, parent));
    return listed.map(([key, value]) => ({
      name: key.subarray(GROUP_BYTES),
      id: value.readUIntBE(0, 6),
    }));
  }

  /** Names from the volume's root down to the node; the root's own is none. */
  pathOf(volume: number, id: FileId): readonly Buffer[] {
    const names: Buffer[] = [];
    for (let at = id; at !== ROOT_ID; ) {
      const record = this.find(volume, at);
      assert(record !== undefined, `node ${at} of volume ${volume} is in no directory`);
      names.unshift(record.name);
      at = record.parent;
    }
    return names;
  }

  /**
   * A page of a directory as of a snapshot: encoded records with their identities, by
   * name.
   *
   * @param after the last name of the page before
   */
  async page(
    volume: number,
    parent: FileId,
    snapshot: StoreSnapshot,
    { after, bytesMax }: { readonly after: Buffer | undefined; readonly bytesMax: number },
  ): Promise<{
    readonly children: readonly (readonly [FileId, Buffer])[];
    readonly isLast: boolean;
  }> {
    const prefix = keyOf(NAME, volume, parent);
    const start = after === undefined ? undefined : keyOf(NAME, volume, parent, after);
    const children: (readonly [FileId, Buffer])[] = [];
    let bytes = 0;
    for await (const [, value] of this.#store.scan(prefix, snapshot, start)) {
      const id = value.readUIntBE(0, 6);
      const record = this.#store.getAt(keyOf(NODE, volume, id), snapshot);
      if (record === undefined) continue;
      if (bytes + record.length > bytesMax && children.length > 0)
        return { children, isLast: false };
      bytes += record.length + 16;
      children.push([id, record]);
    }
    return { children, isLast: true };
  }

  /** The record of a node as of a snapshot, encoded. */
  recordAt(volume: number, id: FileId, snapshot: StoreSnapshot): Buffer | undefined {
    return this.#store.getAt(keyOf(NODE, volume, id), snapshot);
  }

  /** Gives the volume an empty root, if it has none. */
  ensureRoot(volume: number, record: Unsealed<DirectoryRecord>): void {
    if (this.find(volume, ROOT_ID) === undefined) this.#put(volume, ROOT_ID, seal(ROOT_ID, record));
  }

  /** Takes a change in, within the open layer of the store. */
  apply(change: FileChange): Effect {
    switch (change.kind) {
      case 'put':
        return this.#place(change, {
          type: 'file',
          parent: change.parent,
          name: change.name,
          meta: change.meta,
          chunks: change.chunks,
          bytes: contentBytes(change.chunks),
          content: contentHash(change.chunks),
          fuzzy: change.fuzzy,
        });
      case 'mkdir':
        return this.#place(change, {
          ...EMPTY_DIRECTORY,
          parent: change.parent,
          name: change.name,
          meta: change.meta,
        });
      case 'symlink': {
        const { parent, name, meta, target } = change;
        return this.#place(change, { type: 'symlink', parent, name, meta, target });
      }
      case 'rename':
        return this.#rename(change);
      case 'remove':
        return this.#remove(change.volume, change.id);
      case 'setmeta': {
        const before = this.find(change.volume, change.id);
        if (before === undefined) return nothing(change.volume, change.id);
        return this.#replace(change.volume, change.id, before, { ...before, meta: change.meta });
      }
    }
  }

  /** Brings the hashes and totals of all directories above what changed up to date. */
  settleSums(): void {
    // A level at a time, from the deepest up: each adds its own directory to the next.
    for (let level = this.#deepestTouched(); level >= 0; level -= 1) {
      for (const [key, { volume, id, balance }] of this.#touched) {
        const depth = this.#depthOf(volume, id);
        if (depth < level) continue;
        this.#touched.delete(key);
        this.#settleSum(volume, id, balance);
      }
    }
    this.#touched.clear();
  }

  #deepestTouched(): number {
    let deepest = -1;
    for (const [key, { volume, id }] of this.#touched) {
      const depth = this.#depthOf(volume, id);
      if (depth < 0) this.#touched.delete(key);
      deepest = Math.max(deepest, depth);
    }
    return deepest;
  }

  /** The highest identity that was ever given in the volume. */
  lastId(volume: number): FileId {
    return this.#store.get(lastIdKey(volume))?.readUIntBE(0, 6) ?? ROOT_ID;
  }

  noteId(volume: number, id: FileId): void {
    if (id > this.lastId(volume)) this.#store.put(lastIdKey(volume), idBytes(id));
  }

  /** Writes a record as it is, as a resync does. */
  adopt(volume: number, id: FileId, record: NodeRecord): void {
    const before = this.find(volume, id);
    if (before !== undefined && id !== ROOT_ID) {
      this.#store.delete(keyOf(NAME, volume, before.parent, before.name));
    }
    this.#put(volume, id, record);
    if (id !== ROOT_ID) this.#link(volume, record, id);
    this.noteId(volume, id);
  }

  /** Forgets a node and its name, as a resync does; sums above it are the caller's. */
  forget(volume: number, id: FileId): void {
    const record = this.find(volume, id);
    if (record === undefined) return;
    if (this.lookUp(volume, record.parent, record.name) === id) {
      this.#store.delete(keyOf(NAME, volume, record.parent, record.name));
    }
    this.#store.delete(keyOf(NODE, volume, id));
  }

  #place<R extends NodeRecord>(
    change: { readonly volume: number; readonly id: FileId },
    unsealed: Unsealed<R>,
  ): Effect {
    const { volume, id } = change;
    const before = this.find(volume, id);
    this.noteId(volume, id);
    if (before !== undefined && before.type === unsealed.type) {
      const isDirectory = before.type === 'directory';
      const { parent, name, meta } = unsealed;
      const after = isDirectory ? { ...before, parent, name, meta } : unsealed;
      return this.#replace(volume, id, before, after);
    }
    if (before !== undefined) this.#remove(volume, id);
    const record = seal(id, unsealed as Unsealed<NodeRecord>);
    const replaced = this.#vacate(volume, record, id);
    this.#attach(volume, id, record);
    return { volume, id, before, after: record, replaced };
  }

  #rename({ volume, id, parent, name }: RenameChange): Effect {
    const before = this.find(volume, id);
    if (before === undefined) return nothing(volume, id);
    return this.#replace(volume, id, before, { ...before, parent, name });
  }

  /** The same node with other properties, maybe in another place. */
  #replace(volume: number, id: FileId, before: NodeRecord, unsealed: Unsealed<NodeRecord>): Effect {
    const after = seal(id, unsealed);
    if (id === ROOT_ID) {
      this.#put(volume, id, after);
      return { volume, id, before, after, replaced: undefined };
    }
    const isMoved = before.parent !== after.parent || !before.name.equals(after.name);
    const replaced = isMoved ? this.#vacate(volume, after, id) : undefined;
    this.#detach(volume, before);
    this.#attach(volume, id, after);
    return { volume, id, before, after, replaced };
  }

  #remove(volume: number, id: FileId): Effect {
    const before = this.find(volume, id);
    if (before === undefined || id === ROOT_ID) return nothing(volume, id);
    if (before.type === 'directory' && before.entries > 0) {
      const text = `directory ${id} of volume ${volume} is removed with ${before.entries} entries`;
      throw new MailraftError('DATA_INVALID', text);
    }
    this.#detach(volume, before);
    this.#store.delete(keyOf(NODE, volume, id));
    return { volume, id, before, after: undefined, replaced: undefined };
  }

  /** Frees the place that `record` is to take. */
  #vacate(volume: number, record: NodeRecord, id: FileId): Effect['replaced'] {
    const other = this.lookUp(volume, record.parent, record.name);
    if (other === undefined || other === id) return undefined;
    const { before } = this.#remove(volume, other);
    return before === undefined ? undefined : { id: other, record: before };
  }

  #attach(volume: number, id: FileId, record: NodeRecord): void {
    this.#put(volume, id, record);
    this.#link(volume, record, id);
    this.#adjust(volume, record, 1);
  }

  #detach(volume: number, record: NodeRecord): void {
    this.#store.delete(keyOf(NAME, volume, record.parent, record.name));
    this.#adjust(volume, record, -1);
  }

  /** Counts a child in or out of its directory. */
  #adjust(volume: number, child: NodeRecord, direction: 1 | -1): void {
    const directory = this.getDirectory(volume, child.parent);
    const sum = Buffer.from(directory.sum);
    xorInto(sum, child.leaf);
    this.#put(volume, child.parent, {
      ...directory,
      sum,
      entries: directory.entries + direction,
    });
    const files = child.type === 'directory' ? child.files : child.type === 'file' ? 1 : 0;
    const bytes = child.type === 'symlink' ? 0 : child.bytes;
    this.#touch(volume, child.parent, { files: files * direction, bytes: bytes * direction });
  }

  #touch(volume: number, id: FileId, balance: Balance): void {
    const key = `${volume}/${id}`;
    const touched = this.#touched.get(key);
    if (touched === undefined) this.#touched.set(key, { volume, id, balance: { ...balance } });
    else {
      touched.balance.files += balance.files;
      touched.balance.bytes += balance.bytes;
    }
  }

  #settleSum(volume: number, id: FileId, balance: Balance): void {
    const before = this.getDirectory(volume, id);
    const { files, bytes } = before;
    const totals = { files: files + balance.files, bytes: bytes + balance.bytes };
    const after = seal<DirectoryRecord>(id, { ...before, ...totals });
    this.#put(volume, id, after);
    if (id === ROOT_ID) return;
    const parent = this.getDirectory(volume, after.parent);
    const sum = Buffer.from(parent.sum);
    xorInto(sum, before.leaf);
    xorInto(sum, after.leaf);
    this.#put(volume, after.parent, { ...parent, sum });
    this.#touch(volume, after.parent, balance);
  }

  /** Levels between the directory and its root; -1 when it is gone. */
  #depthOf(volume: number, id: FileId): number {
    let depth = 0;
    for (let at = id; at !== ROOT_ID; depth += 1) {
      const record = this.find(volume, at);
      if (record === undefined) return -1;
      at = record.parent;
    }
    return depth;
  }

  #put(volume: number, id: FileId, record: NodeRecord): void {
    this.#store.put(keyOf(NODE, volume, id), encodeRecord(record));
  }

  #link(volume: number, record: NodeRecord, id: FileId): void {
    this.#store.put(keyOf(NAME, volume, record.parent, record.name), idBytes(id));
  }
}

const EMPTY_DIRECTORY = {
  type: 'directory',
  sum: Buffer.alloc(HASH_BYTES),
  entries: 0,
  files: 0,
  bytes: 0,
} as const;

function nothing(volume: number, id: FileId): Effect {
  return { volume, id, before: undefined, after: undefined, replaced: undefined };
}

function lastIdKey(volume: number): Buffer {
  return Buffer.from(`L/${volume}`);
}

function idBytes(id: FileId): Buffer {
  const bytes = Buffer.allocUnsafe(6);
  bytes.writeUIntBE(id, 0, 6);
  return bytes;
}

/** A root without children, before anything is known of it. */
export function emptyRoot(meta: DirectoryRecord['meta']): Unsealed<DirectoryRecord> {
  return { ...EMPTY_DIRECTORY, parent: ROOT_ID, name: Buffer.alloc(0), meta };
}
