/**
 * Takes connections of peers: learns who speaks and whether to listen, then hands
 * on what they say.
 */

import type { Server, Socket } from 'node:net';
import { Connection, type ConnectionTimes } from './connection.ts';
import {
  decodeHello,
  encodeWelcome,
  type Hello,
  PROTOCOL,
  type Refusal,
  type Welcome,
} from './hello.ts';
import { type Endpoint, listener, provenName, type TlsFiles } from './security.ts';

export interface ServerOptions {
  readonly endpoint: Endpoint;
  readonly tls: TlsFiles | undefined;
  readonly times: ConnectionTimes;
  /** More connections than this are not taken. */
  readonly connectionsMax: number;
  /** Why a peer is not listened to. */
  refusalOf(hello: Hello): Refusal;
  /** How this node answers a hello. */
  self(): Omit<Welcome, 'refusal' | 'isRolledBack'>;
}

export interface ServerEvents {
  /** `reply` sends a frame back on the same connection. */
  onPayload(hello: Hello, payload: Buffer, reply: (parts: readonly Uint8Array[]) => void): void;
  /** A connection was refused or ended for what the peer sent. */
  onRefused(who: string, reason: string): void;
}

export class PeerServer {
  readonly #options: ServerOptions;
  readonly #events: ServerEvents;
  readonly #server: Server;
  /** With the hello that was welcomed, once it was. */
  readonly #connections = new Map<Connection, Hello | undefined>();

  constructor(options: ServerOptions, events: ServerEvents) {
    this.#options = options;
    this.#events = events;
    this.#server = listener(options.tls, (socket) => this.#accept(socket));
    this.#server.maxConnections = options.connectionsMax;
    // A handshake that fails concerns the one who tried.
    this.#server.on('tlsClientError', (error: Error) => events.onRefused('?', error.message));
  }

  /** The port that it listens on, once `start` is done. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  start(): Promise<void> {
    const { host, port } = this.#options.endpoint;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.removeListener('error', reject);
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    for (const connection of this.#connections.keys()) connection.close('this node closes');
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Who would not be welcomed any more loses the connection, and learns why at the next one. */
  review(): void {
    for (const [connection, hello] of this.#connections) {
      const reason = hello === undefined ? '' : this.#options.refusalOf(hello).reason;
      if (reason !== '') connection.close(reason);
    }
  }

  #accept(socket: Socket): void {
    let hello: Hello | 'refused' | undefined;
    const connection: Connection = new Connection(
      socket,
      {
        onPayload: (payload) => {
          if (hello === undefined) hello = this.#meet(connection, socket, payload);
          else if (hello !== 'refused')
            this.#events.onPayload(hello, payload, (parts) => connection.send(parts));
        },
        onClose: (reason) => {
          this.#connections.delete(connection);
          if (hello === undefined) this.#events.onRefused(socket.remoteAddress ?? '?', reason);
        },
      },
      this.#options.times,
    );
    this.#connections.set(connection, undefined);
  }

  #meet(connection: Connection, socket: Socket, payload: Buffer): Hello | 'refused' {
    const hello = decodeHello(payload);
    const { reason, isRolledBack } = this.#refusalOf(hello, provenName(socket, this.#options.tls));
    const self = this.#options.self();
    connection.send([encodeWelcome({ ...self, refusal: reason, isRolledBack })]);
    if (reason === '') {
      this.#connections.set(connection, hello);
      return hello;
    }
    this.#events.onRefused(hello.from, reason);
    // The refusal must leave before the connection does.
    connection.end();
    return 'refused';
  }

  #refusalOf(hello: Hello, proven: string | undefined): Refusal {
    const reason = this.#faultOf(hello, proven);
    return reason === '' ? this.#options.refusalOf(hello) : { reason, isRolledBack: false };
  }

  /** What is wrong whoever it is. */
  #faultOf(hello: Hello, proven: string | undefined): string {
    const self = this.#options.self().from;
    if (hello.protocol !== PROTOCOL) {
      return `protocol ${hello.protocol} is spoken, this node speaks ${PROTOCOL}`;
    }
    if (hello.to !== self) return `this is ${self}, not ${hello.to}`;
    if (proven !== undefined && proven !== hello.from) {
      return `the certificate is of ${JSON.stringify(proven)}, not of ${hello.from}`;
    }
    return '';
  }
}
