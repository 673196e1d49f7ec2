/**
 * Unary gRPC calls over one cleartext HTTP/2 connection, with the frames made by hand.
 *
 * A library would cost the generator more than the servers cost the machine, and its
 * latency would pass for theirs. So headers are constant bytes, of the answer only the
 * message is read, and what a server of gRPC never does is an error here.
 */

import { connect, type Socket } from 'node:net';
import { MailraftError } from '../../../src/errors.ts';

/** Called once: with the message of the answer, or with what went wrong. */
export type Answered = (error: Error | undefined, message: Buffer) => void;

const FRAME_HEADER_BYTES = 9;
const MESSAGE_PREFIX_BYTES = 5;
const FRAME_BYTES_MAX = 16_384;
const WINDOW_BYTES = 65_535;
const RECEIVE_WINDOW_BYTES = 0x3fff_0000;

const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;

const ACK = 0x1;
const END_STREAM = 0x1;
const END_HEADERS = 0x4;

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** No table for compression (1), no push (2), room for whole answers (4). */
const OWN_SETTINGS: readonly (readonly [id: number, value: number])[] = [
  [1, 0],
  [2, 0],
  [4, RECEIVE_WINDOW_BYTES],
];

const NOTHING = Buffer.alloc(0);

interface Call {
  readonly answered: Answered;
  message: Buffer;
}

export class GrpcConnection {
  readonly #socket: Socket;
  readonly #calls = new Map<number, Call>();
  readonly #headers = new Map<string, Buffer>();
  #received: Buffer = NOTHING;
  #nextStream = 1;
  /** What the server has room for in all; a single call is far below its own window. */
  #sendWindow = WINDOW_BYTES;
  #failure: Error | undefined;

  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.on('data', (chunk) => this.#receive(chunk));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(lost('the server closed the connection')));
    const settings = Buffer.concat(OWN_SETTINGS.map(([id, value]) => setting(id, value)));
    const room = Buffer.alloc(4);
    room.writeUInt32BE(RECEIVE_WINDOW_BYTES - WINDOW_BYTES);
    this.#socket.write(
      Buffer.concat([PREFACE, frame(SETTINGS, 0, 0, settings), frame(WINDOW_UPDATE, 0, 0, room)]),
    );
  }

  /** Sends a message to a method, for instance `/etcdserverpb.KV/Put`. */
  call(method: string, message: Buffer, answered: Answered): void {
    const bytes = MESSAGE_PREFIX_BYTES + message.length;
    const hasRoom = bytes <= this.#sendWindow && bytes <= FRAME_BYTES_MAX;
    const failure = this.#failure ?? (hasRoom ? undefined : lost(`no room for ${bytes} bytes`));
    if (failure !== undefined) {
      setImmediate(answered, failure, NOTHING);
      return;
    }
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#sendWindow -= bytes;
    this.#calls.set(stream, { answered, message: NOTHING });
    const prefix = Buffer.alloc(MESSAGE_PREFIX_BYTES);
    prefix.writeUInt32BE(message.length, 1);
    const header = frame(HEADERS, END_HEADERS, stream, this.#headersOf(method));
    const data = frame(DATA, END_STREAM, stream, Buffer.concat([prefix, message]));
    this.#socket.write(Buffer.concat([header, data]));
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    let at = 0;
    while (this.#received.length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + this.#received.readUIntBE(at, 3);
      if (end > this.#received.length) break;
      this.#take(this.#received.subarray(at, end));
      at = end;
    }
    this.#received = this.#received.subarray(at);
  }

  #take(bytes: Buffer): void {
    const [type, flags] = [bytes[3], bytes[4] as number];
    const stream = bytes.readUInt32BE(5) & 0x7fff_ffff;
    const payload = bytes.subarray(FRAME_HEADER_BYTES);
    switch (type) {
      case DATA:
      case HEADERS:
        this.#answer(stream, type === DATA ? payload : NOTHING, (flags & END_STREAM) !== 0);
        return;
      case SETTINGS:
      case PING:
        if ((flags & ACK) !== 0) return;
        this.#socket.write(frame(type, ACK, 0, type === PING ? payload : NOTHING));
        return;
      case WINDOW_UPDATE:
        if (stream === 0) this.#sendWindow += payload.readUInt32BE(0);
        return;
      case RST_STREAM:
        this.#finish(stream, lost('the server gave up a call'));
        return;
      case GOAWAY:
        this.#fail(lost('the server sends everybody away'));
    }
  }

  #answer(stream: number, data: Buffer, isEnd: boolean): void {
    const call = this.#calls.get(stream);
    if (call === undefined) return;
    if (data.length > 0) {
      call.message = call.message.length === 0 ? data : Buffer.concat([call.message, data]);
    }
    if (!isEnd) return;
    // Only a call that succeeded has a message; what its trailers say else is compressed.
    const isGood = call.message.length >= MESSAGE_PREFIX_BYTES;
    this.#finish(stream, isGood ? undefined : lost('the server refused a call'));
  }

  #finish(stream: number, error: Error | undefined): void {
    const call = this.#calls.get(stream);
    this.#calls.delete(stream);
    call?.answered(error, call.message.subarray(MESSAGE_PREFIX_BYTES));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const stream of [...this.#calls.keys()]) this.#finish(stream, error);
  }

  #headersOf(method: string): Buffer {
    const known = this.#headers.get(method);
    if (known !== undefined) return known;
    const block = Buffer.concat([
      // Of the static table: POST (3), http (6); then names of it with values as they are.
      Buffer.from([0x83, 0x86, 0x04]),
      text(method),
      Buffer.from([0x01]),
      text('localhost'),
      // content-type is 31, which takes two bytes.
      Buffer.from([0x0f, 0x10]),
      text('application/grpc'),
      Buffer.from([0x00]),
      text('te'),
      text('trailers'),
    ]);
    this.#headers.set(method, block);
    return block;
  }
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  payload.copy(bytes, FRAME_HEADER_BYTES);
  return bytes;
}

function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

/** A string without Huffman's code, shorter than 127 bytes (RFC 7541 §5.2). */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')]);
}

function lost(what: string): MailraftError {
  return new MailraftError('NO_QUORUM', what);
}
