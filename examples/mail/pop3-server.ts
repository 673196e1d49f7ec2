/** Mail out: accepts POP3 connections, bounded in number and in idle time. */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { ListenAddress } from './arguments.ts';
import { MessageSizes } from './maildrop.ts';
import { Pop3Session } from './pop3-session.ts';

const CLIENTS_MAX = 100;
/** RFC 1939, section 3, asks for at least ten minutes. */
const IDLE_MS_MAX = 600_000;

export interface Pop3ServerOptions {
  readonly listen: ListenAddress;
  readonly name: string;
  /** Directory with one file per message. */
  readonly directory: string;
}

export class Pop3Server {
  readonly #options: Pop3ServerOptions;
  readonly #server: Server;
  readonly #sizes: MessageSizes = new MessageSizes();
  readonly #sessions: Map<Socket, Pop3Session> = new Map();

  private constructor(options: Pop3ServerOptions) {
    this.#options = options;
    // A client may send everything, QUIT included, and close its side before the answers.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true });
    this.#server.on('connection', (socket) => void this.#serve(socket));
  }

  /** Resolves when connections are accepted; rejects when the address cannot be had. */
  static async listen(options: Pop3ServerOptions): Promise<Pop3Server> {
    const pop3 = new Pop3Server(options);
    const listening = once(pop3.#server, 'listening');
    pop3.#server.listen(options.listen.port, options.listen.host);
    await listening;
    return pop3;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Dismisses every session and resolves when all connections are closed. */
  stop(): Promise<void> {
    for (const session of this.#sessions.values()) session.dismiss();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async #serve(socket: Socket): Promise<void> {
    // The session hears of a broken connection by its reads.
    socket.on('error', () => {});
    if (this.#sessions.size >= CLIENTS_MAX) {
      socket.end('-ERR [SYS/TEMP] too many connections\r\n');
      socket.resume();
      return;
    }
    socket.setTimeout(IDLE_MS_MAX, () => socket.destroy());
    const { name, directory } = this.#options;
    const session = new Pop3Session({ socket, name, directory, sizes: this.#sizes });
    this.#sessions.set(socket, session);
    socket.once('close', () => this.#sessions.delete(socket));
    try {
      await session.run();
    } catch (error) {
      // A message that cannot be read to its end must not look complete to the client.
      socket.destroy();
      process.stderr.write(`pop3 session ended: ${String(error)}\n`);
    }
  }
}
