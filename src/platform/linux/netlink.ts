/**
 * netlink(7): messages to the kernel and its answers, without waiting.
 *
 * The kernel carries out a request within the `sendto` that brings it, so all its
 * answers are there when that returns: a socket here is asked and read in one go,
 * and never blocks.
 */

import { closeSync } from 'node:fs';
import { checked, lastErrorIs, nativeFunction, SystemError, systemError } from './libc.ts';

const socketCall = nativeFunction('int socket(int domain, int type, int protocol)');
const sendCall = nativeFunction(
  'int64_t sendto(int fd, const uint8_t *data, size_t length, int flags, const uint8_t *to, uint32_t toLength)',
);
const receiveCall = nativeFunction('int64_t recv(int fd, uint8_t *data, size_t length, int flags)');

const AF_NETLINK = 16;
const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0o4000 | 0o2000000;
const ADDRESS_BYTES = 12;
const HEADER_BYTES = 16;
const TYPE_ERROR = 2;
const NESTED = 0x8000;
const TYPE_MASK = 0x3fff;
/** The kernel fills at most 32 KiB of a dump into one datagram. */
const RECEIVE_BYTES = 64 * 1024;
/** More datagrams than any answer here has: an end to reading, whatever comes. */
const DATAGRAMS_MAX = 1000;

export const FLAG = {
  request: 0x1,
  ack: 0x4,
  dump: 0x300,
  replace: 0x100,
  create: 0x400,
  append: 0x800,
} as const;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  /** What follows the header: the family's own header and attributes. */
  readonly body: Uint8Array;
}

/** The kernel refused one message of a request. */
export class NetlinkError extends SystemError {
  /** Its place in the request, from 0. */
  readonly place: number;

  constructor(number: number, about: string, place: number) {
    const { code, syscall } = systemError(number, 'netlink', about);
    super(code, syscall, about);
    this.place = place;
  }
}

export class NetlinkSocket {
  readonly #fd: number;
  readonly #kernel = Buffer.alloc(ADDRESS_BYTES);
  readonly #buffer = Buffer.allocUnsafe(RECEIVE_BYTES);
  #sequence = 0;
  #isClosed = false;

  /** @param protocol which part of the kernel, as `NETLINK_ROUTE` */
  constructor(protocol: number) {
    this.#fd = checked(
      socketCall(AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC, protocol),
      'socket',
      () => `AF_NETLINK ${protocol}`,
    );
    this.#kernel.writeUInt16LE(AF_NETLINK, 0);
  }

  /**
   * Sends messages in one datagram and returns what the kernel answered to them.
   *
   * @param about what the request is about, for people
   * @throws NetlinkError for the first message that the kernel refused, or whose
   *   acknowledgement was asked for and is missing
   */
  request(messages: readonly NetlinkMessage[], about: string): readonly NetlinkMessage[] {
    this.#receive();
    const first = this.#sequence + 1;
    this.#sequence += messages.length;
    const datagram = Buffer.concat(
      messages.map((message, place) => encodeMessage(message, first + place)),
    );
    checked(
      sendCall(this.#fd, datagram, datagram.length, 0, this.#kernel, ADDRESS_BYTES),
      'sendto',
      () => about,
    );
    const missing = new Set<number>();
    messages.forEach(({ flags }, place) => {
      if ((flags & FLAG.ack) !== 0) missing.add(place);
    });
    const answers: NetlinkMessage[] = [];
    for (const { sequence, ...message } of this.#receive()) {
      const place = sequence - first;
      if (place < 0 || place >= messages.length) continue;
      if (message.type === TYPE_ERROR) failOn(message.body, about, place);
      missing.delete(place);
      answers.push(message);
    }
    if (missing.size > 0) throw new SystemError('ENODATA', 'netlink', `${about}: no answer`);
    return answers;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#fd);
  }

  /** Everything that is there. */
  #receive(): NumberedMessage[] {
    const messages: NumberedMessage[] = [];
    for (let count = 0; count < DATAGRAMS_MAX; count += 1) {
      const length = receiveCall(this.#fd, this.#buffer, this.#buffer.length, 0);
      if (length < 0 && lastErrorIs('EAGAIN')) break;
      checked(length, 'recv', () => 'AF_NETLINK');
      messages.push(...decodeMessages(this.#buffer.subarray(0, length)));
    }
    return messages;
  }
}

interface NumberedMessage extends NetlinkMessage {
  readonly sequence: number;
}

function failOn(body: Uint8Array, about: string, place: number): void {
  const result = Buffer.from(body).readInt32LE(0);
  if (result < 0) throw new NetlinkError(-result, about, place);
}

function encodeMessage({ type, flags, body }: NetlinkMessage, sequence: number): Buffer {
  const message = Buffer.alloc(HEADER_BYTES + aligned(body.length));
  message.writeUInt32LE(HEADER_BYTES + body.length, 0);
  message.writeUInt16LE(type, 4);
  message.writeUInt16LE(flags | FLAG.request, 6);
  message.writeUInt32LE(sequence, 8);
  message.set(body, HEADER_BYTES);
  return message;
}

function decodeMessages(datagram: Buffer): NumberedMessage[] {
  const messages: NumberedMessage[] = [];
  for (let offset = 0; offset + HEADER_BYTES <= datagram.length; ) {
    const length = datagram.readUInt32LE(offset);
    if (length < HEADER_BYTES || offset + length > datagram.length) break;
    messages.push({
      type: datagram.readUInt16LE(offset + 4),
      flags: datagram.readUInt16LE(offset + 6),
      sequence: datagram.readUInt32LE(offset + 8),
      // A copy: the buffer is used again.
      body: Buffer.from(datagram.subarray(offset + HEADER_BYTES, offset + length)),
    });
    offset += aligned(length);
  }
  return messages;
}

/** One attribute, padded as the next one wants it. */
export function attribute(type: number, value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4 + aligned(value.length));
  bytes.writeUInt16LE(4 + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, 4);
  return bytes;
}

/** An attribute that holds attributes. */
export function nested(type: number, ...attributes: readonly Uint8Array[]): Buffer {
  return attribute(type | NESTED, Buffer.concat(attributes));
}

/** The attributes from `offset` on, by type; of one that comes twice the last. */
export function decodeAttributes(body: Uint8Array, offset: number): ReadonlyMap<number, Buffer> {
  const bytes = Buffer.from(body);
  const found = new Map<number, Buffer>();
  for (let at = offset; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > bytes.length) break;
    found.set(bytes.readUInt16LE(at + 2) & TYPE_MASK, bytes.subarray(at + 4, at + length));
    at += aligned(length);
  }
  return found;
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}
