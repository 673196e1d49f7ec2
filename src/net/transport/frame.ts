/**
 * Wire frames: length and checksum of the payload, then the payload.
 *
 * ```
 * length u32 | crc32c u32 | payload
 * ```
 *
 * Pure: bytes in, payloads out. The checksum is there for peers that speak
 * without TLS, whose TCP checksum lets one error in 65,536 through.
 */

import { MailraftError } from '../../errors.ts';
import { crc32c } from '../../platform/crc32c.ts';

export const FRAME_HEADER_BYTES = 8;

/** Largest payload a peer may send: an append of two full entries. */
export const FRAME_PAYLOAD_BYTES_MAX: number = 4 * 1024 * 1024;

/**
 * The header for a payload given in parts.
 *
 * @throws {MailraftError} `FRAME_INVALID` when the payload is too large
 */
export function frameHeader(parts: readonly Uint8Array[]): Buffer {
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  checkLength(bytes);
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  header.writeUInt32BE(bytes, 0);
  header.writeUInt32BE(crc32c(...parts), 4);
  return header;
}

/** Splits a stream of bytes into payloads. One for each connection. */
export class FrameDecoder {
  #chunks: Buffer[] = [];
  #buffered = 0;

  /**
   * Takes what arrived; gives every payload that it completes.
   *
   * @throws {MailraftError} `FRAME_INVALID` on an oversized length or a wrong
   *   checksum; the stream cannot be found again, so the connection must end
   */
  push(chunk: Buffer): readonly Buffer[] {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    const payloads: Buffer[] = [];
    for (let payload = this.#take(); payload !== undefined; payload = this.#take()) {
      payloads.push(payload);
    }
    return payloads;
  }

  #take(): Buffer | undefined {
    if (this.#buffered < FRAME_HEADER_BYTES) return undefined;
    const header = this.#peekHeader();
    const length = header.readUInt32BE(0);
    checkLength(length);
    if (this.#buffered < FRAME_HEADER_BYTES + length) return undefined;
    const bytes = this.#join();
    const end = FRAME_HEADER_BYTES + length;
    const payload = bytes.subarray(FRAME_HEADER_BYTES, end);
    if (crc32c(payload) !== header.readUInt32BE(4)) {
      throw new MailraftError('FRAME_INVALID', 'the checksum of a frame is wrong');
    }
    this.#chunks = end < bytes.length ? [bytes.subarray(end)] : [];
    this.#buffered = bytes.length - end;
    return payload;
  }

  #peekHeader(): Buffer {
    const first = this.#chunks[0] as Buffer;
    return first.length >= FRAME_HEADER_BYTES ? first : this.#join();
  }

  #join(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] as Buffer;
  }
}

function checkLength(bytes: number): void {
  if (bytes <= FRAME_PAYLOAD_BYTES_MAX) return;
  throw new MailraftError(
    'FRAME_INVALID',
    `a frame of ${bytes} bytes; at most ${FRAME_PAYLOAD_BYTES_MAX} are accepted`,
  );
}
