/**
 * The way to one peer on one channel: dials, introduces itself, and dials again
 * when the connection is lost, with growing pauses.
 *
 * What is sent while there is no connection, or faster than the peer takes it, is
 * dropped: Raft repeats what matters, and bulk requests fail and are asked again.
 */

import type { Socket } from 'node:net';
import { MailraftError } from '../../errors.ts';
import { Connection, type ConnectionTimes } from './connection.ts';
import { decodeWelcome, encodeHello, type Hello } from './hello.ts';
import { dial, type Endpoint, provenName, type TlsFiles } from './security.ts';

export interface LinkOptions {
  readonly endpoint: Endpoint;
  readonly tls: TlsFiles | undefined;
  readonly times: ConnectionTimes;
  /** More than so many bytes that wait for the peer are not queued. */
  readonly queuedBytesMax: number;
  /** What to introduce itself with; asked for each connection. */
  hello(): Hello;
}

export interface LinkEvents {
  onUp(): void;
  /** The connection was lost, or could not be made. */
  onDown(reason: string): void;
  /** Something was dropped for want of a connection or of room. */
  onDrop(): void;
  onPayload(payload: Buffer): void;
  /** The peer knows this node's storage in a newer state than it is now. */
  onRolledBack(reason: string): void;
}

const PAUSE_MS_MIN = 20;
const PAUSE_MS_MAX = 1000;

export class PeerLink {
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  #connection: Connection | undefined;
  #isUp = false;
  #pauseMs = PAUSE_MS_MIN;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #problem: string | undefined;
  #refusal: string | undefined;

  constructor(options: LinkOptions, events: LinkEvents) {
    this.#options = options;
    this.#events = events;
    this.#dial();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Why there is no connection, for status. */
  get problem(): string | undefined {
    return this.#isUp ? undefined : this.#problem;
  }

  /** The peer answers, and does not want this node. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** @returns false when it was dropped */
  send(parts: readonly Uint8Array[]): boolean {
    const connection = this.#connection;
    const hasRoom = (connection?.queuedBytes ?? 0) <= this.#options.queuedBytesMax;
    if (connection === undefined || !this.#isUp || !hasRoom) {
      this.#events.onDrop();
      return false;
    }
    connection.send(parts);
    return true;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#connection?.close('this node closes');
  }

  #dial(): void {
    const { endpoint, tls, times } = this.#options;
    const socket = dial(endpoint, tls, () => this.#introduce(socket));
    // Until the peer has answered it may take as long as a silent connection may.
    this.#connection = new Connection(
      socket,
      {
        onPayload: (payload) =>
          this.#isUp ? this.#events.onPayload(payload) : this.#meet(payload),
        onClose: (reason) => this.#down(reason),
      },
      times,
    );
  }

  #introduce(socket: Socket): void {
    const hello = this.#options.hello();
    const name = provenName(socket, this.#options.tls);
    if (name !== undefined && name !== hello.to) {
      this.#connection?.close(`the certificate is of ${JSON.stringify(name)}, not of ${hello.to}`);
      return;
    }
    this.#connection?.send([encodeHello(hello)]);
  }

  #meet(payload: Buffer): void {
    const welcome = decodeWelcome(payload);
    if (welcome.refusal !== '') {
      this.#refusal = `${welcome.from} refuses: ${welcome.refusal}`;
      if (welcome.isRolledBack) this.#events.onRolledBack(this.#refusal);
      throw new MailraftError('PEER_REFUSED', this.#refusal);
    }
    this.#isUp = true;
    this.#refusal = undefined;
    this.#pauseMs = PAUSE_MS_MIN;
    this.#events.onUp();
  }

  #down(reason: string): void {
    this.#isUp = false;
    this.#connection = undefined;
    this.#problem = reason;
    if (reason !== this.#refusal) this.#refusal = undefined;
    this.#events.onDown(reason);
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.#dial(), this.#pauseMs);
    this.#pauseMs = Math.min(PAUSE_MS_MAX, this.#pauseMs * 2);
  }
}
