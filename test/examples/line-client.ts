/** A client that speaks a line protocol by hand: what it sends is exactly what a test says. */

import { connect, type Socket } from 'node:net';
import type { Test } from 'tap';
import { until } from '../support/until.ts';

export class LineClient {
  readonly socket: Socket;
  isClosed = false;
  #received = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
    });
    socket.on('error', () => {});
    // The client's own side stays open, so that a test may see what a server does then.
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.isClosed = true;
      });
    }
  }

  static connect(t: Test, port: number): LineClient {
    const client = new LineClient(connect({ host: '127.0.0.1', port, allowHalfOpen: true }));
    t.teardown(() => client.socket.destroy());
    return client;
  }

  /** Connects to an SMTP server and opens the session. */
  static async smtp(t: Test, port: number): Promise<LineClient> {
    const client = LineClient.connect(t, port);
    await client.reply();
    await client.ask('EHLO test');
    return client;
  }

  /** Connects to a POP3 server and logs in. */
  static async pop3(t: Test, port: number): Promise<LineClient> {
    const client = LineClient.connect(t, port);
    await client.line();
    client.send('USER anybody\r\nPASS anything\r\n');
    await client.line();
    await client.line();
    return client;
  }

  send(text: string | Buffer): void {
    this.socket.write(text);
  }

  /** Bytes that came and were not taken yet. */
  get waiting(): string {
    return this.#received.toString('latin1');
  }

  async line(): Promise<string> {
    await until(() => this.#received.includes('\r\n') || this.isClosed, 'a line');
    return this.#take(this.#received.indexOf('\r\n') + 2)
      .toString('latin1')
      .trimEnd();
  }

  /** One SMTP reply, its lines joined by LF. */
  async reply(): Promise<string> {
    const lines = [await this.line()];
    while (lines.at(-1)?.[3] === '-') lines.push(await this.line());
    return lines.join('\n');
  }

  async ask(command: string): Promise<string> {
    this.send(`${command}\r\n`);
    return this.reply();
  }

  /** The status line of a POP3 answer and what follows up to the dot, the dots taken off. */
  async multiline(command: string): Promise<{ status: string; body: Buffer }> {
    this.send(`${command}\r\n`);
    const status = await this.line();
    if (!status.startsWith('+OK')) return { status, body: Buffer.alloc(0) };
    const isEnded = (): boolean =>
      this.#received.indexOf('.\r\n') === 0 || this.#received.includes('\r\n.\r\n');
    await until(() => isEnded() || this.isClosed, `the end of ${command}`);
    const end = this.#received.indexOf('.\r\n') === 0 ? 0 : this.#received.indexOf('\r\n.\r\n') + 2;
    const stuffed = this.#take(end).toString('latin1');
    this.#take(3);
    return { status, body: Buffer.from(stuffed.replaceAll(/(^|\r\n)\.\./g, '$1.'), 'latin1') };
  }

  /** Opens a transaction and sends `message` as it is, dots stuffed, and the final dot. */
  async deliver(message: Buffer): Promise<string> {
    await this.begin();
    this.send(stuffed(message));
    return this.ask('.');
  }

  async begin(): Promise<void> {
    for (const command of ['MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.com>', 'DATA']) {
      const reply = await this.ask(command);
      if (!/^[23]/.test(reply)) throw new Error(`${command} was answered ${reply}`);
    }
  }

  #take(bytes: number): Buffer {
    const taken = this.#received.subarray(0, bytes);
    this.#received = this.#received.subarray(bytes);
    return taken;
  }
}

function stuffed(message: Buffer): Buffer {
  return Buffer.from(message.toString('latin1').replaceAll(/(^|\r\n)\./g, '$1..'), 'latin1');
}
