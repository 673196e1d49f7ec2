/**
 * A shared address without root: listens in the service's place and passes bytes on.
 *
 * It ends with this process, and within it at its time: no byte passes through after
 * that, also when timers fire late because the process had been stopped.
 */

import { connect, createServer, isIPv6, type Server, type Socket } from 'node:net';
import { pipeline, Transform } from 'node:stream';
import type { Endpoint } from '../../config/config.ts';
import { messageOf, systemCode } from '../../errors.ts';
import { bootTimeMs } from '../../platform/linux/clock.ts';
import type { AddressDriver, AddressEvents } from './address-driver.ts';
import { Expiry } from './expiry.ts';

const CONNECTIONS_MAX = 10_000;
/** The service is next door: what takes longer is not coming. */
const CONNECT_TIMEOUT_MS = 5000;
/** Finds clients whose machine is gone. */
const KEEP_ALIVE_MS = 60_000;
/** The other node may let go of the port at any moment. */
const RETRY_MS = 30;
/** How long a client may go on after the service closed its side. */
const HALF_CLOSED_MS = 60_000;

export interface ProxyAddressConfig {
  readonly listen: Endpoint;
  readonly to: Endpoint;
}

export class ProxyAddress implements AddressDriver {
  readonly label: string;
  readonly announcements = 0;
  readonly expiry = 'process';
  readonly #config: ProxyAddressConfig;
  readonly #events: AddressEvents;
  readonly #sockets = new Set<Socket>();
  readonly #expiry = new Expiry((isOver) => {
    if (isOver) this.drop();
    else this.#listen();
  });
  #server: Server | undefined;
  #isHeld = false;
  #problem: string | undefined;
  #retryAtMs = 0;
  #isClosed = false;

  constructor(config: ProxyAddressConfig, events: AddressEvents) {
    this.#config = config;
    this.#events = events;
    const { host, port } = config.listen;
    this.label = isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  hold(untilMs: number): void {
    if (this.#isClosed) return;
    this.#expiry.arm(untilMs);
    if (this.#expiry.isOver) this.drop();
    else this.#listen();
  }

  drop(): void {
    this.#expiry.disarm();
    const server = this.#server;
    this.#server = undefined;
    // Both close their descriptors before they return.
    server?.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#set(false, undefined);
  }

  close(): void {
    this.drop();
    this.#isClosed = true;
  }

  #listen(): void {
    if (this.#server !== undefined || bootTimeMs() < this.#retryAtMs) return;
    const server = createServer({ allowHalfOpen: true }, (client) => this.#accept(server, client));
    server.maxConnections = CONNECTIONS_MAX;
    this.#server = server;
    server.on('error', (error) => this.#failed(server, error));
    server.listen({ ...this.#config.listen, exclusive: true }, () => {
      if (server === this.#server) this.#set(true, undefined);
      // Dropped while the name was looked up.
      else server.close();
    });
  }

  #failed(server: Server, error: Error): void {
    if (server !== this.#server) return;
    if (server.listening) {
      // One client could not be accepted; the next may.
      this.#set(true, `can not accept on ${this.label}: ${messageOf(error)}`);
      return;
    }
    this.#server = undefined;
    this.#retryAtMs = bootTimeMs() + RETRY_MS;
    const isTaken = systemCode(error) === 'EADDRINUSE';
    const problem = isTaken ? 'another process listens there' : messageOf(error);
    this.#set(false, `can not listen on ${this.label}: ${problem}`);
  }

  #accept(server: Server, client: Socket): void {
    if (server !== this.#server || this.#expiry.isOver) {
      client.destroy();
      return;
    }
    const service = connect({ ...this.#config.to, allowHalfOpen: true });
    service.setTimeout(CONNECT_TIMEOUT_MS, () => service.destroy());
    service.once('connect', () => service.setTimeout(0));
    for (const socket of [client, service]) {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      // The pipelines below act on it; one more may come after they ended.
      socket.on('error', () => undefined);
    }
    service.once('end', () => client.setTimeout(HALF_CLOSED_MS, () => client.destroy()));
    this.#set(true, undefined);
    this.#pass(client, service);
    this.#pass(service, client);
  }

  /** One direction; when it fails both ends go. */
  #pass(from: Socket, to: Socket): void {
    pipeline(from, this.#gate(), to, (error) => {
      if (!error) return;
      from.destroy();
      to.destroy();
    });
  }

  /** Lets bytes through while the address is held. */
  #gate(): Transform {
    return new Transform({
      transform: (bytes, _encoding, done) => {
        if (this.#expiry.isOver) done(new Error('the address is not held'));
        else done(null, bytes);
      },
    });
  }

  #set(isHeld: boolean, problem: string | undefined): void {
    if (this.#isHeld === isHeld && this.#problem === problem) return;
    this.#isHeld = isHeld;
    this.#problem = problem;
    this.#events.onChange();
  }
}
