/**
 * Mail in: SMTP by the `smtp-server` package, every message handed to the store.
 *
 * The answer 250 is given after the store has made the message durable, and names the
 * file. A stop lets messages that are being stored finish, within a bound, and tells
 * every session 421 so that its client comes back at once to whoever serves next.
 */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import type { ListenAddress } from './arguments.ts';
import type { MessageStore } from './message-store.ts';

const CLIENTS_MAX = 200;
const RECIPIENTS_MAX = 1_000;
const IDLE_MS_MAX = 300_000;

export interface SmtpReceiverOptions {
  readonly listen: ListenAddress;
  readonly name: string;
  readonly messageBytesMax: number;
  readonly store: MessageStore;
  /** How long a stop waits for messages that are being stored. */
  readonly stopMsMax: number;
}

type DataCallback = (error?: Error | null, message?: string) => void;

export class SmtpReceiver {
  readonly #options: SmtpReceiverOptions;
  readonly #server: SMTPServer;
  /** Sessions in the middle of a message, by their id. */
  readonly #receiving: Set<string> = new Set();
  #isStopping = false;

  private constructor(options: SmtpReceiverOptions) {
    this.#options = options;
    this.#server = new SMTPServer({
      name: options.name,
      banner: 'mail server ready',
      size: options.messageBytesMax,
      disabledCommands: ['AUTH', 'STARTTLS'],
      hideSTARTTLS: true,
      disableReverseLookup: true,
      logger: false,
      maxClients: CLIENTS_MAX,
      maxRecipients: RECIPIENTS_MAX,
      socketTimeout: IDLE_MS_MAX,
      closeTimeout: options.stopMsMax,
      onData: (stream, session, callback) => {
        void this.#receive(stream, session, callback);
      },
    });
  }

  /** Resolves when connections are accepted; rejects when the address cannot be had. */
  static async listen(options: SmtpReceiverOptions): Promise<SmtpReceiver> {
    const receiver = new SmtpReceiver(options);
    const listening = once(receiver.#server.server, 'listening');
    // The package repeats a failure to listen as an event of its own; `once` has it already.
    receiver.#server.on('error', () => {});
    receiver.#server.listen(options.listen.port, options.listen.host);
    await listening;
    // From here on an error is that of one connection, whose session ends by itself.
    receiver.#server.server.on('error', () => {});
    return receiver;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  stop(): Promise<void> {
    this.#isStopping = true;
    return new Promise((resolve) => {
      this.#server.close(resolve);
      for (const { id } of [...this.#server.connections]) {
        if (!this.#receiving.has(id)) this.#dismiss(id);
      }
    });
  }

  async #receive(
    stream: SMTPServerDataStream,
    session: SMTPServerSession,
    callback: DataCallback,
  ): Promise<void> {
    this.#receiving.add(session.id);
    try {
      const name = await this.#options.store.receive(stream);
      callback(null, `2.0.0 stored as ${name}`);
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)));
    }
    this.#receiving.delete(session.id);
    if (this.#isStopping) this.#dismiss(session.id);
  }

  #dismiss(id: string): void {
    for (const connection of this.#server.connections) {
      if (connection.id === id) connection.send(421, `${this.#options.name} shutting down`);
    }
  }
}
