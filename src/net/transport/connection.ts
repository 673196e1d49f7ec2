/**
 * One connection to a peer, either end: frames over a socket, kept alive by pings.
 *
 * A TCP connection to a machine that lost power, or through a cable that was
 * pulled, looks open for minutes. So both ends send an empty frame now and then,
 * and an end that hears nothing for a while closes; the dialling end dials anew.
 */

import type { Socket } from 'node:net';
import { isMailraftError, messageOf } from '../../errors.ts';
import { FrameDecoder, frameHeader } from './frame.ts';

export interface ConnectionEvents {
  /** A frame arrived. What it throws as `MailraftError` costs the peer this connection. */
  onPayload(payload: Buffer): void;
  onClose(reason: string): void;
}

export interface ConnectionTimes {
  /** An empty frame is sent this often, in ms. */
  readonly pingMs: number;
  /** A connection that is silent for so long is closed, in ms. */
  readonly silenceMs: number;
}

const PING = [Buffer.alloc(0)];
/** So many bytes are put into one piece. */
const COPIED_BYTES_MAX = 64 * 1024;

export class Connection {
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder();
  readonly #events: ConnectionEvents;
  readonly #watch: NodeJS.Timeout;
  #heardAtMs = performance.now();
  /** Sent in this turn of the event loop. */
  #outgoing: Uint8Array[] = [];
  #outgoingBytes = 0;
  #reason = 'the peer closed the connection';

  constructor(socket: Socket, events: ConnectionEvents, times: ConnectionTimes) {
    this.#socket = socket;
    this.#events = events;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => {
      this.#reason = messageOf(error);
    });
    socket.on('close', () => {
      clearInterval(this.#watch);
      events.onClose(this.#reason);
    });
    this.#watch = setInterval(() => this.#look(times.silenceMs), times.pingMs);
  }

  /** Bytes that the kernel has not taken yet. */
  get queuedBytes(): number {
    return this.#socket.writableLength + this.#outgoingBytes;
  }

  /** Sends one frame, given in parts; what is sent in one turn leaves together. */
  send(parts: readonly Uint8Array[]): void {
    if (this.#socket.destroyed) return;
    if (this.#outgoing.length === 0) process.nextTick(() => this.#flush());
    for (const part of [frameHeader(parts), ...parts]) {
      this.#outgoing.push(part);
      this.#outgoingBytes += part.length;
    }
  }

  /** Lets what was sent leave, then closes. */
  end(): void {
    this.#flush();
    this.#socket.end();
  }

  close(reason: string): void {
    this.#reason = reason;
    this.#socket.destroy();
  }

  #flush(): void {
    const parts = this.#outgoing;
    const bytes = this.#outgoingBytes;
    this.#outgoing = [];
    this.#outgoingBytes = 0;
    if (parts.length === 0 || this.#socket.destroyed) return;
    // Each write has a price of its own, which a few copied bytes do not have.
    if (bytes <= COPIED_BYTES_MAX) {
      this.#socket.write(Buffer.concat(parts, bytes));
      return;
    }
    this.#socket.cork();
    for (const part of parts) this.#socket.write(part);
    this.#socket.uncork();
  }

  #receive(chunk: Buffer): void {
    this.#heardAtMs = performance.now();
    try {
      for (const payload of this.#decoder.push(chunk)) {
        if (payload.length > 0) this.#events.onPayload(payload);
      }
    } catch (error) {
      // Bytes of a peer can cost it its connection, never this process its life.
      if (!isMailraftError(error) || error.code === 'INVARIANT') throw error;
      this.close(error.message);
    }
  }

  #look(silenceMs: number): void {
    if (performance.now() - this.#heardAtMs <= silenceMs) this.send(PING);
    else this.close(`nothing was heard for ${silenceMs} ms`);
  }
}
