/**
 * What a node knows of its own disk, beside the index that all share: how each file
 * looked when its content was last known to be what the index says, and which of the
 * index's contents are not on this disk.
 */

import type { FileStat } from '../../platform/linux/files-at.ts';
import { decode, encode } from '../../platform/msgpack.ts';
import type { FileId } from '../command/change.ts';
import { isUnchanged, type Signature } from '../volume/signature.ts';
import { findRecord, GROUP_BYTES } from './file-index.ts';
import type { NodeRecord } from './records.ts';
import type { IndexStore } from './store.ts';

/** How a file looked, and what its content was then. */
export interface KnownLook extends Signature {
  /** Identity of the content; undefined for what is no file. */
  readonly content: Buffer | undefined;
}

/**
 * Whether what stands there surely is what the record says. The index may have moved on
 * since the file was looked at: that it has not changed proves its old content only.
 */
export function isSurely(
  known: KnownLook | undefined,
  record: NodeRecord,
  stat: FileStat,
): boolean {
  if (known === undefined || record.type !== stat.type || !isUnchanged(known, stat)) return false;
  return record.type !== 'file' || known.content?.equals(record.content) === true;
}

const SIGNATURE = 's'.charCodeAt(0);
const INODE = 'o'.charCodeAt(0);
const MISSING = 'm'.charCodeAt(0);

export class LocalState {
  readonly #store: IndexStore;

  constructor(store: IndexStore) {
    this.#store = store;
  }

  signature(volume: number, id: FileId): KnownLook | undefined {
    const bytes = this.#store.get(idKey(SIGNATURE, volume, id));
    if (bytes === undefined) return undefined;
    const [inode, btime, size, mtime, ctime, racy, content] = decode(bytes) as [
      string,
      string,
      number,
      string,
      string,
      boolean,
      Buffer | null,
    ];
    return { inode, btime, size, mtime, ctime, racy, content: content ?? undefined };
  }

  /** The node looks like this, and is what the index says of it by now. */
  setSignature(volume: number, id: FileId, signature: Signature): void {
    const { inode, btime, size, mtime, ctime, racy } = signature;
    const record = findRecord(this.#store, volume, id);
    const content = record?.type === 'file' ? record.content : null;
    const look = [inode, btime, size, mtime, ctime, racy, content];
    this.#store.put(idKey(SIGNATURE, volume, id), encode(look));
    this.#store.put(inodeKey(volume, inode), encode(id));
  }

  forgetSignature(volume: number, id: FileId): void {
    const known = this.signature(volume, id);
    if (known === undefined) return;
    this.#store.delete(idKey(SIGNATURE, volume, id));
    if (this.findByInode(volume, known.inode) === id) {
      this.#store.delete(inodeKey(volume, known.inode));
    }
  }

  /** Which file was last seen as that inode. A hint: inodes are used again. */
  findByInode(volume: number, inode: string): FileId | undefined {
    const bytes = this.#store.get(inodeKey(volume, inode));
    return bytes === undefined ? undefined : (decode(bytes) as FileId);
  }

  /** The index's content of the file is not on this disk. */
  setMissing(volume: number, id: FileId, isMissing: boolean): void {
    const key = idKey(MISSING, volume, id);
    const wasMissing = this.#store.get(key) !== undefined;
    if (isMissing === wasMissing) return;
    if (isMissing) this.#store.put(key, Buffer.alloc(0));
    else this.#store.delete(key);
    this.#count(volume, isMissing ? 1 : -1);
  }

  isMissing(volume: number, id: FileId): boolean {
    return this.#store.get(idKey(MISSING, volume, id)) !== undefined;
  }

  /** How many files of the volume are not on this disk. */
  missingCount(volume: number): number {
    const bytes = this.#store.get(countKey(volume));
    return bytes === undefined ? 0 : (decode(bytes) as number);
  }

  /** Identities of missing files; only those that are flushed. */
  async *missing(volume: number): AsyncGenerator<FileId> {
    for await (const [key] of this.#store.scan(Buffer.from([MISSING, volume]))) {
      yield key.readUIntBE(4, 6);
    }
  }

  #count(volume: number, by: number): void {
    this.#store.put(countKey(volume), encode(this.missingCount(volume) + by));
  }
}

function idKey(letter: number, volume: number, id: FileId): Buffer {
  const key = Buffer.alloc(GROUP_BYTES);
  key[0] = letter;
  key[1] = volume;
  key.writeUIntBE(id, 4, 6);
  return key;
}

function inodeKey(volume: number, inode: string): Buffer {
  const key = Buffer.alloc(GROUP_BYTES);
  key[0] = INODE;
  key[1] = volume;
  key.writeBigUInt64BE(BigInt(inode), 2);
  return key;
}

function countKey(volume: number): Buffer {
  return Buffer.from(`M/${volume}`);
}
