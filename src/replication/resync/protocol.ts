/**
 * What a member that must fetch the state asks of one that has it.
 *
 * The listing is of one position of the log: the source reads it from a snapshot of
 * its index. Contents are named by their hash and come from the source's files, or
 * not at all when those have moved on (safety rule 15).
 */

import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { Ajv } from 'ajv';
import { MailraftError } from '../../errors.ts';

const natural = Type.Integer({ minimum: 0 });

export const ListRequestSchema = Type.Object({
  session: natural,
  volume: natural,
  directory: natural,
  /** Last name of the page before; absent for the first page. */
  after: Type.Optional(Type.Any()),
});
export type ListRequest = Static<typeof ListRequestSchema>;

export const ChunkRequestSchema = Type.Object({
  volume: natural,
  id: natural,
  /** Which of the file's chunks. */
  at: natural,
  hash: Type.Any(),
  bytes: natural,
});
export type ChunkRequest = Static<typeof ChunkRequestSchema>;

/** The volumes' roots and the log's decisions, as of the session's position. */
export interface OpenAnswer {
  readonly session: number;
  /** The committed state at that position, encoded. */
  readonly state: Buffer;
  readonly volumes: readonly {
    readonly number: number;
    readonly name: string;
    /** Encoded record of the root. */
    readonly root: Buffer;
    readonly lastId: number;
  }[];
}

export interface ListAnswer {
  /** Identities and encoded records, by name. */
  readonly children: readonly (readonly [number, Buffer])[];
  readonly isLast: boolean;
}

/** The bytes, or nothing when the file is no longer what was asked for. */
export interface ChunkAnswer {
  readonly data: Buffer | null;
}

const ajv = new Ajv();
const isListRequest = ajv.compile<ListRequest>(ListRequestSchema as TSchema);
const isChunkRequest = ajv.compile<ChunkRequest>(ChunkRequestSchema as TSchema);

export function listRequestOf(value: unknown): ListRequest {
  if (isListRequest(value)) return value;
  throw new MailraftError('DATA_INVALID', `no listing: ${ajv.errorsText(isListRequest.errors)}`);
}

export function chunkRequestOf(value: unknown): ChunkRequest {
  if (isChunkRequest(value)) return value;
  throw new MailraftError('DATA_INVALID', `no chunk: ${ajv.errorsText(isChunkRequest.errors)}`);
}

/** A buffer out of a message. Throws when it is none. */
export function bufferOf(value: unknown): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length);
  throw new MailraftError('DATA_INVALID', 'bytes were expected');
}
