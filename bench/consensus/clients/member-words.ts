/**
 * What a client and a member of mailraft's bench cluster say to each other: frames as
 * between peers, each with one MessagePack list.
 *
 * ```
 * question: [id, method, body]     put: bytes of an entry | list: [after, most] | leads: nothing
 * answer:   [id, problem, body]    problem is empty when all went well
 * ```
 */

import { FrameDecoder, frameHeader } from '../../../src/net/transport/frame.ts';
import { decode, encode } from '../../../src/platform/msgpack.ts';
import type { KeyValue } from './write-client.ts';

export type Method = 'put' | 'list' | 'leads';
export type Question = readonly [id: number, method: Method, body: unknown];
export type Answer = readonly [id: number, problem: string, body: unknown];

/** A frame in one piece. */
export function frameOf(word: Question | Answer): Buffer {
  const payload = encode(word);
  return Buffer.concat([frameHeader([payload]), payload]);
}

/** Takes frames apart as they arrive. One for each connection. */
export class WordDecoder<Word extends Question | Answer> {
  readonly #decoder = new FrameDecoder();

  push(chunk: Buffer): readonly Word[] {
    return this.#decoder.push(chunk).map((payload) => decode(payload) as Word);
  }
}

/** A key and its value as the data of an entry: the key's length, the key, the value. */
export function entryOf(key: string, value: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(1 + key.length + value.length);
  bytes[0] = key.length;
  bytes.write(key, 1, 'latin1');
  value.copy(bytes, 1 + key.length);
  return bytes;
}

export function keyValueOf(entry: Uint8Array): KeyValue {
  const bytes = Buffer.from(entry.buffer, entry.byteOffset, entry.length);
  const end = 1 + (bytes[0] as number);
  return { key: bytes.toString('latin1', 1, end), value: bytes.subarray(end) };
}
