/** Frames: any cut of the stream yields the payloads that were framed, and no others. */

import fc from 'fast-check';
import t from 'tap';
import {
  FRAME_PAYLOAD_BYTES_MAX,
  FrameDecoder,
  frameHeader,
} from '../../src/net/transport/frame.ts';

const frame = (payload: Uint8Array) => Buffer.concat([frameHeader([payload]), payload]);

t.test('payloads survive any chunking of the stream', async (t) => {
  const payloads = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 });
  fc.assert(
    fc.property(payloads, fc.integer({ min: 1, max: 25 }), (sent, chunkBytes) => {
      const stream = Buffer.concat(sent.map(frame));
      const decoder = new FrameDecoder();
      const received: Buffer[] = [];
      for (let at = 0; at < stream.length; at += chunkBytes) {
        received.push(...decoder.push(stream.subarray(at, at + chunkBytes)));
      }
      return (
        received.length === sent.length &&
        received.every((payload, at) => payload.equals(sent[at] ?? Buffer.alloc(0)))
      );
    }),
  );
  t.pass('100 random streams');
});

t.test('an oversized length is refused before its payload is waited for', async (t) => {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(FRAME_PAYLOAD_BYTES_MAX + 1);
  t.throws(() => new FrameDecoder().push(header), {
    code: 'FRAME_INVALID',
    message: `a frame of ${FRAME_PAYLOAD_BYTES_MAX + 1} bytes; at most ${FRAME_PAYLOAD_BYTES_MAX} are accepted`,
  });
});

t.test('a changed byte is found by the checksum', async (t) => {
  const bytes = frame(Buffer.from('some words'));
  bytes[12] = (bytes[12] ?? 0) ^ 1;
  t.throws(() => new FrameDecoder().push(bytes), { code: 'FRAME_INVALID', message: /checksum/ });
});
