/**
 * The frame around what became durable together.
 *
 * ```
 * batch:  magic u32 | body bytes u32 | sequence u32 | crc32c u32 | records … | magic u32 | sequence u32 | crc32c u32
 * ```
 *
 * The trailer is what tells a torn write from damage: where it is present the
 * whole batch was written, and a bad record in front of it was changed later.
 */

import { crc32c } from '../platform/crc32c.ts';

const HEADER_MAGIC = 0x4d_52_42_31; // MRB1
const TRAILER_MAGIC = 0x4d_52_45_31; // MRE1
export const BATCH_HEADER_BYTES = 16;
export const BATCH_TRAILER_BYTES = 12;

/** Largest body; a writer starts another batch before it would grow beyond. */
export const BATCH_BODY_BYTES_MAX: number = 64 * 1024 * 1024;

export interface BatchHeader {
  readonly bodyBytes: number;
  readonly sequence: number;
}

export function batchHeader({ bodyBytes, sequence }: BatchHeader): Buffer {
  const header = Buffer.allocUnsafe(BATCH_HEADER_BYTES);
  header.writeUInt32BE(HEADER_MAGIC, 0);
  header.writeUInt32BE(bodyBytes, 4);
  header.writeUInt32BE(sequence, 8);
  header.writeUInt32BE(crc32c(header.subarray(0, 12)), 12);
  return header;
}

export function batchTrailer(sequence: number): Buffer {
  const trailer = Buffer.allocUnsafe(BATCH_TRAILER_BYTES);
  trailer.writeUInt32BE(TRAILER_MAGIC, 0);
  trailer.writeUInt32BE(sequence, 4);
  trailer.writeUInt32BE(crc32c(trailer.subarray(0, 8)), 8);
  return trailer;
}

/** The header at `offset`, undefined when none stands there intact. */
export function findBatchHeader(bytes: Buffer, offset: number): BatchHeader | undefined {
  if (offset + BATCH_HEADER_BYTES > bytes.length) return undefined;
  if (bytes.readUInt32BE(offset) !== HEADER_MAGIC) return undefined;
  const sum = crc32c(bytes.subarray(offset, offset + 12));
  if (sum !== bytes.readUInt32BE(offset + 12)) return undefined;
  return { bodyBytes: bytes.readUInt32BE(offset + 4), sequence: bytes.readUInt32BE(offset + 8) };
}

/** Whether the trailer of batch `sequence` stands intact at `offset`. */
export function hasBatchTrailer(bytes: Buffer, offset: number, sequence: number): boolean {
  if (offset + BATCH_TRAILER_BYTES > bytes.length) return false;
  return bytes.subarray(offset, offset + BATCH_TRAILER_BYTES).equals(batchTrailer(sequence));
}

/** Where the next intact header or trailer stands at or after `offset`, -1 if nowhere. */
export function findFrame(bytes: Buffer, offset: number): number {
  for (let at = offset; at + BATCH_TRAILER_BYTES <= bytes.length; at += 1) {
    // Both magics begin alike; the checksum decides.
    at = bytes.indexOf('MR', at, 'latin1');
    if (at < 0) return -1;
    if (findBatchHeader(bytes, at) !== undefined || isTrailer(bytes, at)) return at;
  }
  return -1;
}

function isTrailer(bytes: Buffer, at: number): boolean {
  if (at + BATCH_TRAILER_BYTES > bytes.length) return false;
  if (bytes.readUInt32BE(at) !== TRAILER_MAGIC) return false;
  return hasBatchTrailer(bytes, at, bytes.readUInt32BE(at + 4));
}
