/**
 * CRC32C (Castagnoli, RFC 3720 appendix B.4), the checksum of journal records.
 *
 * Computed by WebAssembly at more than 1 GB/s; the module is compiled once, when
 * this file is first imported.
 */

import { createCRC32, type IHasher } from 'hash-wasm';

/** The Castagnoli polynomial, bits reversed. */
const CASTAGNOLI = 0x82f63b78;

const hasher: IHasher = await createCRC32(CASTAGNOLI);

/** The checksum of the parts, one after the other, as an unsigned 32-bit number. */
export function crc32c(...parts: readonly Uint8Array[]): number {
  hasher.init();
  for (const part of parts) hasher.update(part);
  const digest = hasher.digest('binary');
  return new DataView(digest.buffer, digest.byteOffset).getUint32(0);
}
