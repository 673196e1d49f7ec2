/** The checksum of records and frames, short and long ones alike. */

import { randomBytes } from 'node:crypto';
import t from 'tap';
import { crc32c } from '../../src/platform/crc32c.ts';

/** As RFC 3720 appendix B.4 has it, a bit at a time. */
function bitByBit(bytes: Uint8Array): number {
  let sum = 0xffff_ffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0x82f6_3b78 : 0);
  }
  return (sum ^ 0xffff_ffff) >>> 0;
}

t.test('the checksums of RFC 3720 come out', async (t) => {
  t.equal(crc32c(Buffer.alloc(32)), 0x8a91_36aa);
  t.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8_ab43);
  t.equal(crc32c(Buffer.from('123456789')), 0xe306_9283);
  t.equal(crc32c(Buffer.alloc(0)), 0);
});

t.test('every length is summed alike, however it is parted', async (t) => {
  const bytes = randomBytes(3000);
  for (const length of [1, 7, 8, 9, 63, 1023, 1024, 1025, 1032, 3000]) {
    const whole = bytes.subarray(0, length);
    t.equal(crc32c(whole), bitByBit(whole), `${length} bytes`);
    const [a, b] = [length >> 2, length >> 1];
    const parts = [whole.subarray(0, a), whole.subarray(a, b), whole.subarray(b)];
    t.equal(crc32c(...parts), bitByBit(whole), `${length} bytes in three parts`);
  }
});
