/**
 * What the file index holds of each file, directory and symbolic link, and the
 * hashes that prove two indexes equal.
 *
 * Every node has a *leaf*: the SHA-256 of its name, identity, metadata and content.
 * A directory's content is the XOR of its children's leaves, so that one change costs
 * one leaf on each level above it, however many siblings there are. XOR of distinct
 * SHA-256 values tells trees apart that were made by accident, not by an adversary
 * who may choose all names; the log, not this hash, is what replicates.
 */

import { hash } from 'node:crypto';
import { MailraftError } from '../../errors.ts';
import { decode, encode } from '../../platform/msgpack.ts';
import type { ChunkRef, FileId, Meta } from '../command/change.ts';

export const HASH_BYTES = 32;

interface NodeBase {
  readonly parent: FileId;
  readonly name: Buffer;
  readonly meta: Meta;
  /** What the parent's sum holds of it. */
  readonly leaf: Buffer;
}

export interface FileRecord extends NodeBase {
  readonly type: 'file';
  readonly chunks: readonly ChunkRef[];
  readonly bytes: number;
  /** Identity of the content, see `contentHash`. */
  readonly content: Buffer;
  readonly fuzzy: boolean;
}

export interface DirectoryRecord extends NodeBase {
  readonly type: 'directory';
  /** XOR of the children's leaves. */
  readonly sum: Buffer;
  /** Number of children. */
  readonly entries: number;
  /** Files below it, and their bytes, at any depth. */
  readonly files: number;
  readonly bytes: number;
}

export interface SymlinkRecord extends NodeBase {
  readonly type: 'symlink';
  readonly target: Buffer;
}

export type NodeRecord = FileRecord | DirectoryRecord | SymlinkRecord;

/** A record before its leaf is known. */
export type Unsealed<R extends NodeRecord> = R extends NodeRecord ? Omit<R, 'leaf'> : never;

export function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer');
}

/** One hash for a whole content: its only chunk's, or the hash of all chunks' hashes. */
export function contentHash(chunks: readonly ChunkRef[]): Buffer {
  const only = chunks.length === 1 ? chunks[0] : undefined;
  return only?.hash ?? sha256(Buffer.concat(chunks.map((chunk) => chunk.hash)));
}

export function xorInto(target: Buffer, other: Buffer): void {
  for (let at = 0; at < HASH_BYTES; at += 1) target[at] = (target[at] ?? 0) ^ (other[at] ?? 0);
}

/** The record with its leaf. */
export function seal<R extends NodeRecord>(id: FileId, record: Unsealed<R>): R {
  return { ...record, leaf: leafOf(id, record) } as unknown as R;
}

function leafOf(id: FileId, record: Unsealed<NodeRecord>): Buffer {
  const { name, meta } = record;
  const content = identityOf(record);
  const head = Buffer.allocUnsafe(1 + 8 + 4 + 4 + 4 + 8 + 4 + 2);
  let at = head.writeUInt8(TYPE_CODES.indexOf(record.type), 0);
  at = head.writeDoubleBE(id, at);
  at = head.writeUInt32BE(meta.mode, at);
  at = head.writeUInt32BE(meta.uid, at);
  at = head.writeUInt32BE(meta.gid, at);
  at = head.writeDoubleBE(meta.mtimeSeconds, at);
  at = head.writeUInt32BE(meta.mtimeNanoseconds, at);
  head.writeUInt16BE(name.length, at);
  return sha256(Buffer.concat([head, name, content]));
}

function identityOf(record: Unsealed<NodeRecord>): Buffer {
  switch (record.type) {
    case 'file':
      return record.content;
    case 'directory':
      return record.sum;
    case 'symlink':
      return record.target;
  }
}

const TYPE_CODES: readonly NodeRecord['type'][] = ['file', 'directory', 'symlink'];

export function encodeRecord(record: NodeRecord): Buffer {
  const { mode, uid, gid, mtimeSeconds, mtimeNanoseconds } = record.meta;
  const common = [
    TYPE_CODES.indexOf(record.type),
    record.parent,
    record.name,
    [mode, uid, gid, mtimeSeconds, mtimeNanoseconds],
    record.leaf,
  ];
  switch (record.type) {
    case 'file': {
      const chunks = record.chunks.flatMap(({ hash: chunk, bytes }) => [chunk, bytes]);
      return encode([...common, chunks, record.content, record.fuzzy]);
    }
    case 'directory':
      return encode([...common, record.sum, record.entries, record.files, record.bytes]);
    case 'symlink':
      return encode([...common, record.target]);
  }
}

/** Throws `DATA_DAMAGED` when the bytes are no record. */
export function decodeRecord(bytes: Buffer): NodeRecord {
  const fields = decode(bytes) as [number, FileId, Buffer, number[], Buffer, ...unknown[]];
  const [type, parent, name, metaFields, leaf, ...rest] = fields;
  const [mode, uid, gid, mtimeSeconds, mtimeNanoseconds] = metaFields as [
    number,
    number,
    number,
    number,
    number,
  ];
  const meta = { mode, uid, gid, mtimeSeconds, mtimeNanoseconds };
  const base = { parent, name, meta, leaf };
  switch (typeOf(type)) {
    case 'file': {
      const [flat, content, fuzzy] = rest as [unknown[], Buffer, boolean];
      const chunks = chunksOf(flat);
      const total = chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);
      return { ...base, type: 'file', chunks, content, fuzzy, bytes: total };
    }
    case 'directory': {
      const [sum, entries, files, total] = rest as [Buffer, number, number, number];
      return { ...base, type: 'directory', sum, entries, files, bytes: total };
    }
    case 'symlink':
      return { ...base, type: 'symlink', target: rest[0] as Buffer };
  }
}

function typeOf(code: number): NodeRecord['type'] {
  const type = TYPE_CODES[code];
  if (type !== undefined) return type;
  throw new MailraftError('DATA_DAMAGED', `the file index has a record of type ${code}`);
}

function chunksOf(flat: readonly unknown[]): ChunkRef[] {
  const chunks: ChunkRef[] = [];
  for (let at = 0; at < flat.length; at += 2) {
    chunks.push({ hash: flat[at] as Buffer, bytes: flat[at + 1] as number });
  }
  return chunks;
}
