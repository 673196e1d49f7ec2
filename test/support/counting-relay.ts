/** Passes TCP connections on and counts their bytes, in the place of a cable's counter. */

import { once } from 'node:events';
import {
  type AddressInfo,
  createConnection,
  createServer,
  type Server,
  type Socket,
} from 'node:net';

const HOST = '127.0.0.1';

export class CountingRelay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Bytes in both directions since the start. */
  bytes = 0;

  private constructor(port: number) {
    this.#server = createServer((near) => this.#join(near, createConnection({ host: HOST, port })));
  }

  /** Listens on a port of its own for what is meant for `port`. */
  static async to(port: number): Promise<CountingRelay> {
    const relay = new CountingRelay(port);
    relay.#server.listen(0, HOST);
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (chunk: Buffer) => {
        this.bytes += chunk.length;
      });
      from.pipe(to);
      // The end of one side is the end of the other, whatever it was.
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}
