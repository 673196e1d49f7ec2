/**
 * CRC32C (Castagnoli, RFC 3720 appendix B.4), the checksum of journal records.
 *
 * Computed by WebAssembly at more than 1 GB/s; the module is compiled once, when
 * this file is first imported. Each call into it costs as much as some hundred bytes,
 * and most of what is summed is shorter: that is done here, eight bytes at a time.
 */

import { createCRC32, type IHasher } from 'hash-wasm';

/** The Castagnoli polynomial, bits reversed. */
const CASTAGNOLI = 0x82f63b78;

const hasher: IHasher = await createCRC32(CASTAGNOLI);

/** From here on WebAssembly is faster. */
const SMALL_BYTES_MAX = 1024;

/** Eight tables of 256: what a byte becomes, with 0 to 7 bytes behind it. */
const tables = makeTables();

function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? CASTAGNOLI : 0);
    made[byte] = sum;
  }
  for (let at = 256; at < made.length; at += 1) {
    const before = made[at - 256] as number;
    made[at] = (before >>> 8) ^ (made[before & 0xff] as number);
  }
  return made;
}

/** Goes on from `sum`, whose bits are inverted, over one part. */
function sumSmall(sum: number, part: Uint8Array): number {
  const table = (number: number, byte: number): number => tables[number * 256 + byte] as number;
  const byteAt = (at: number): number => part[at] as number;
  let [crc, at] = [sum, 0];
  for (; at + 8 <= part.length; at += 8) {
    const low =
      byteAt(at) | (byteAt(at + 1) << 8) | (byteAt(at + 2) << 16) | (byteAt(at + 3) << 24);
    crc ^= low;
    crc =
      table(7, crc & 0xff) ^
      table(6, (crc >>> 8) & 0xff) ^
      table(5, (crc >>> 16) & 0xff) ^
      table(4, crc >>> 24) ^
      table(3, byteAt(at + 4)) ^
      table(2, byteAt(at + 5)) ^
      table(1, byteAt(at + 6)) ^
      table(0, byteAt(at + 7));
  }
  for (; at < part.length; at += 1) crc = (crc >>> 8) ^ table(0, (crc ^ byteAt(at)) & 0xff);
  return crc;
}

/** The checksum of the parts, one after the other, as an unsigned 32-bit number. */
export function crc32c(...parts: readonly Uint8Array[]): number {
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  if (bytes <= SMALL_BYTES_MAX) return ~parts.reduce(sumSmall, -1) >>> 0;
  hasher.init();
  for (const part of parts) hasher.update(part);
  const digest = hasher.digest('binary');
  return new DataView(digest.buffer, digest.byteOffset).getUint32(0);
}
