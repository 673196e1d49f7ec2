/**
 * One SMTP connection as a client sees it, command by command.
 *
 * A message goes in two steps so that the caller knows what a failure means: after
 * `begin` failed nothing of the message was sent; after `finish` failed the server
 * may have it or not. Every wait is bounded.
 */

import { connect, type Socket } from 'node:net';
import { MailraftError } from '../../errors.ts';

export interface SmtpReply {
  readonly code: number;
  readonly text: string;
  /** When its last line arrived, on the monotonic clock. */
  readonly atMs: number;
}

export interface SmtpSessionOptions {
  readonly host: string;
  readonly port: number;
  /** Until the connection stands. */
  readonly connectMsMax: number;
  /** Until the answer to one command, the final dot included. */
  readonly replyMsMax: number;
}

const REPLY_BYTES_MAX = 16 * 1024;

interface Waiting {
  readonly resolve: (reply: SmtpReply) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Milliseconds on the clock that all processes of the machine share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export class SmtpSession {
  readonly #socket: Socket;
  readonly #replyMsMax: number;
  #received = '';
  #lines: string[] = [];
  #waiting: Waiting | undefined;
  /** Said by the server before it was asked: a 421 at its stop. */
  #unasked: SmtpReply | undefined;
  #failure: Error | undefined;

  private constructor(socket: Socket, replyMsMax: number) {
    this.#socket = socket;
    this.#replyMsMax = replyMsMax;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(lost('connection closed')));
  }

  /** Connects, reads the greeting and says EHLO. `onGreeting` hears when the greeting came. */
  static async open(
    options: SmtpSessionOptions,
    onGreeting: (atMs: number) => void,
  ): Promise<SmtpSession> {
    const socket = connect({ host: options.host, port: options.port });
    const session = new SmtpSession(socket, options.replyMsMax);
    try {
      await session.#connected(options.connectMsMax);
      const greeting = await session.#reply();
      expectCode(greeting, 220);
      onGreeting(greeting.atMs);
      expectCode(await session.#ask('EHLO client.example'), 250);
      return session;
    } catch (error) {
      session.destroy();
      throw error;
    }
  }

  /** Opens the transaction; resolves when the server wants the message. */
  async begin(sender: string, recipient: string): Promise<void> {
    expectCode(await this.#ask(`MAIL FROM:<${sender}> BODY=8BITMIME`), 250);
    expectCode(await this.#ask(`RCPT TO:<${recipient}>`), 250);
    expectCode(await this.#ask('DATA'), 354);
  }

  /** Sends the message and the final dot; resolves with the answer, whatever it says. */
  async finish(message: Buffer): Promise<SmtpReply> {
    this.#socket.write(stuffDots(message));
    return this.#ask('.');
  }

  /** Leaves without waiting for the answer to QUIT. */
  quit(): void {
    this.#socket.end('QUIT\r\n', () => this.#socket.destroy());
  }

  destroy(): void {
    this.#socket.destroy();
    this.#fail(lost('session given up'));
  }

  async #connected(withinMs: number): Promise<void> {
    if (!this.#socket.connecting) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(lost('no connection in time')), withinMs);
      const settle = (): void => {
        clearTimeout(timer);
        this.#socket.off('connect', settle);
        this.#socket.off('close', settle);
        if (this.#failure === undefined) resolve();
        else reject(this.#failure);
      };
      this.#socket.once('connect', settle);
      this.#socket.once('close', settle);
    });
  }

  #ask(command: string): Promise<SmtpReply> {
    if (this.#failure === undefined) this.#socket.write(`${command}\r\n`);
    return this.#reply();
  }

  #reply(): Promise<SmtpReply> {
    const unasked = this.#unasked;
    if (unasked !== undefined) {
      this.#unasked = undefined;
      return Promise.resolve(unasked);
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#fail(lost(`no answer within ${this.#replyMsMax} ms`));
        this.#socket.destroy();
      }, this.#replyMsMax);
      this.#waiting = { resolve, reject, timer };
    });
  }

  #receive(chunk: Buffer): void {
    this.#received += chunk.toString('latin1');
    const lines = this.#received.split('\r\n');
    this.#received = lines.pop() ?? '';
    for (const line of lines) {
      this.#lines.push(line.slice(4));
      if (line[3] === '-') continue;
      this.#take({
        code: Number(line.slice(0, 3)),
        text: this.#lines.join('\n'),
        atMs: monotonicMs(),
      });
      this.#lines = [];
    }
    if (this.#received.length > REPLY_BYTES_MAX) this.#socket.destroy();
  }

  #take(reply: SmtpReply): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) {
      this.#unasked = reply;
      return;
    }
    clearTimeout(waiting.timer);
    waiting.resolve(reply);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    clearTimeout(waiting.timer);
    waiting.reject(this.#failure);
  }
}

/** RFC 5321, section 4.5.2: a line that begins with a dot gets a second one. */
export function stuffDots(message: Buffer): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  if (message[0] === 0x2e) parts.push(Buffer.from('.'));
  for (let at = message.indexOf('\r\n.'); at !== -1; at = message.indexOf('\r\n.', at + 2)) {
    parts.push(message.subarray(from, at + 2), Buffer.from('.'));
    from = at + 2;
  }
  parts.push(message.subarray(from));
  return Buffer.concat(parts);
}

function expectCode(reply: SmtpReply, code: number): void {
  if (reply.code === code) return;
  throw new MailraftError('SERVICE_FAILED', `expected ${code}, got ${reply.code} ${reply.text}`);
}

function lost(reason: string): MailraftError {
  return new MailraftError('SERVICE_FAILED', reason);
}
