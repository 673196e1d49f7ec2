/**
 * One POP3 session (RFC 1939, and CAPA of RFC 2449): commands in, answers out, in order.
 *
 * Any user with any password sees the one maildrop. A session that ends without QUIT
 * deletes nothing.
 */

import type { FileHandle } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { commandLines, LineTooLong } from './command-lines.ts';
import { Maildrop, type MaildropEntry, type MessageSizes } from './maildrop.ts';
import { TopLines, WireLines } from './wire-lines.ts';

export interface Pop3SessionOptions {
  readonly socket: Socket;
  readonly name: string;
  readonly directory: string;
  readonly sizes: MessageSizes;
}

const CAPABILITIES = ['USER', 'UIDL', 'TOP', 'PIPELINING', 'RESP-CODES', 'EXPIRE NEVER'];
/** After QUIT, how long a client may keep its side open. */
const LINGER_MS_MAX = 2_000;

export class Pop3Session {
  readonly #socket: Socket;
  readonly #options: Pop3SessionOptions;
  #user: string | undefined;
  /** Set once the client has logged in. */
  #maildrop: Maildrop | undefined;

  constructor(options: Pop3SessionOptions) {
    this.#options = options;
    this.#socket = options.socket;
  }

  /** Serves until the client leaves; rejects when the connection breaks. */
  async run(): Promise<void> {
    await this.#send(`+OK ${this.#options.name} mail server ready`);
    try {
      for await (const line of commandLines(this.#socket)) {
        const [command = '', ...words] = line.trim().split(/ +/);
        if (command.toUpperCase() === 'QUIT') {
          await this.#quit();
          break;
        }
        await this.#answer(command.toUpperCase(), words, line);
      }
    } catch (error) {
      if (!(error instanceof LineTooLong)) throw error;
      await this.#send('-ERR command line too long');
    }
    this.#end();
  }

  /** Tells the client to come back; what it marked as deleted stays. */
  dismiss(): void {
    this.#socket.write('-ERR [SYS/TEMP] shutting down\r\n');
    this.#end();
  }

  #end(): void {
    this.#socket.end();
    // A client that never closes its side must not keep the connection.
    this.#socket.resume();
    const linger = setTimeout(() => this.#socket.destroy(), LINGER_MS_MAX);
    this.#socket.once('close', () => clearTimeout(linger));
  }

  async #quit(): Promise<void> {
    try {
      await this.#maildrop?.removeDeleted();
      await this.#send('+OK bye');
    } catch (error) {
      await this.#send(`-ERR [SYS/TEMP] some messages not removed: ${String(error)}`);
    }
  }

  async #answer(command: string, words: readonly string[], line: string): Promise<void> {
    if (command === 'CAPA') return this.#sendList('+OK', CAPABILITIES);
    if (this.#maildrop === undefined) return this.#authorize(command, line);
    const number = Number(words[0]);
    switch (command) {
      case 'NOOP':
        return this.#send('+OK');
      case 'STAT':
        return this.#stat(this.#maildrop);
      case 'RSET':
        this.#maildrop.unmarkAll();
        return this.#send('+OK');
      case 'LIST':
        return this.#listing(words[0], ({ octets }) => `${octets}`);
      case 'UIDL':
        return this.#listing(words[0], ({ uid }) => uid);
      case 'DELE':
        return this.#delete(this.#maildrop, number);
      case 'RETR':
        return this.#retrieve(this.#maildrop, number, undefined);
      case 'TOP':
        return this.#retrieve(this.#maildrop, number, words[1] ?? '');
      default:
        return this.#send('-ERR unknown command');
    }
  }

  async #authorize(command: string, line: string): Promise<void> {
    if (command === 'USER') {
      this.#user = line.slice('USER '.length).trim();
      return this.#send(this.#user === '' ? '-ERR no name given' : '+OK');
    }
    if (command !== 'PASS') return this.#send('-ERR log in first');
    if (this.#user === undefined || this.#user === '') return this.#send('-ERR USER first');
    try {
      this.#maildrop = await Maildrop.open(this.#options.directory, this.#options.sizes);
    } catch (error) {
      return this.#send(`-ERR [SYS/TEMP] maildrop not readable: ${String(error)}`);
    }
    return this.#send(`+OK ${this.#maildrop.list().length} messages`);
  }

  #stat(maildrop: Maildrop): Promise<void> {
    const messages = maildrop.list();
    const octets = messages.reduce((sum, [, entry]) => sum + entry.octets, 0);
    return this.#send(`+OK ${messages.length} ${octets}`);
  }

  #listing(
    argument: string | undefined,
    describe: (entry: MaildropEntry) => string,
  ): Promise<void> {
    if (argument === undefined) {
      const messages = this.#maildrop?.list() ?? [];
      return this.#sendList(
        `+OK ${messages.length} messages`,
        messages.map(([number, entry]) => `${number} ${describe(entry)}`),
      );
    }
    const entry = this.#maildrop?.find(Number(argument));
    return this.#send(
      entry === undefined ? '-ERR no such message' : `+OK ${argument} ${describe(entry)}`,
    );
  }

  #delete(maildrop: Maildrop, number: number): Promise<void> {
    if (maildrop.find(number) === undefined) return this.#send('-ERR no such message');
    maildrop.markDeleted(number);
    return this.#send('+OK deleted');
  }

  /** `RETR`, or with `topLines` the header and so many lines of the body. */
  async #retrieve(maildrop: Maildrop, number: number, topLines: string | undefined): Promise<void> {
    if (topLines !== undefined && !/^\d{1,9}$/.test(topLines)) {
      return this.#send('-ERR TOP wants a message and a number of lines');
    }
    const entry = maildrop.find(number);
    const file = entry && (await maildrop.openMessage(entry));
    if (entry === undefined || file === undefined) return this.#send('-ERR no such message');
    await this.#send(`+OK ${entry.octets} octets`);
    await this.#sendMessage(file, topLines === undefined ? undefined : Number(topLines));
  }

  async #sendMessage(file: FileHandle, topLines: number | undefined): Promise<void> {
    const lines = new WireLines();
    const top = topLines === undefined ? undefined : new TopLines(topLines);
    for await (const chunk of file.createReadStream()) {
      await this.#write(lines.push(top === undefined ? chunk : top.take(chunk)));
      if (top?.isComplete === true) break;
    }
    await this.#write(lines.finish());
    await this.#write(Buffer.from('.\r\n'));
  }

  #sendList(status: string, lines: readonly string[]): Promise<void> {
    return this.#send([status, ...lines, '.'].join('\r\n'));
  }

  #send(text: string): Promise<void> {
    return this.#write(Buffer.from(`${text}\r\n`, 'latin1'));
  }

  /** Waits while the client reads slower than it asks, so that memory stays bounded. */
  async #write(bytes: Buffer): Promise<void> {
    const isOver = this.#socket.destroyed || this.#socket.writableEnded;
    if (isOver || this.#socket.write(bytes)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done);
        this.#socket.off('close', done);
        resolve();
      };
      this.#socket.once('drain', done);
      this.#socket.once('close', done);
    });
  }
}
