/** Splits what a POP3 client sends into command lines of bounded length. */

import type { Socket } from 'node:net';

/** RFC 2449, section 4, allows 255 octets; the rest is for clients with long names. */
const LINE_BYTES_MAX = 512;
const LF = 0x0a;

export class LineTooLong extends Error {}

/**
 * Yields the lines without their ends, and reads on only when the next one is asked for.
 * Ends when the client has closed its side; throws `LineTooLong`, or the socket's error.
 */
export async function* commandLines(socket: Socket): AsyncGenerator<string> {
  let pending = Buffer.alloc(0);
  // The socket outlives this loop: the last answer is still to be sent.
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    pending = Buffer.concat([pending, chunk as Buffer]);
    let start = 0;
    for (let end = pending.indexOf(LF); end !== -1; end = pending.indexOf(LF, start)) {
      const line = pending.toString('latin1', start, end);
      if (line.length > LINE_BYTES_MAX) throw new LineTooLong();
      start = end + 1;
      yield line.replace(/\r$/, '');
    }
    pending = pending.subarray(start);
    if (pending.length > LINE_BYTES_MAX) throw new LineTooLong();
  }
}
