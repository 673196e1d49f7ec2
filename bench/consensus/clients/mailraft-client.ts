/** A client of one member of mailraft's bench cluster. */

import { connect, type Socket } from 'node:net';
import { MailraftError } from '../../../src/errors.ts';
import { type Answer, entryOf, frameOf, type Method, WordDecoder } from './member-words.ts';
import type { Done, KeyValue, WriteClient } from './write-client.ts';

type Answered = (error: Error | undefined, body: unknown) => void;

export class MailraftClient implements WriteClient {
  readonly #socket: Socket;
  readonly #decoder = new WordDecoder<Answer>();
  readonly #asked = new Map<number, Answered>();
  #lastId = 0;
  #failure: Error | undefined;

  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.on('data', (chunk) => this.#receive(chunk));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(lost('the member closed the connection')));
  }

  put(key: string, value: Buffer, done: Done): void {
    this.#ask('put', entryOf(key, value), done);
  }

  async list(after: string, countMax: number): Promise<readonly KeyValue[]> {
    const body = (await this.#question('list', [after, countMax])) as [string, Buffer][];
    return body.map(([key, value]) => ({ key, value }));
  }

  async leads(): Promise<boolean> {
    return (await this.#question('leads', null)) === true;
  }

  close(): void {
    this.#socket.destroy();
  }

  #question(method: Method, body: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#ask(method, body, (error, answer) => {
        if (error === undefined) resolve(answer);
        else reject(error);
      });
    });
  }

  #ask(method: Method, body: unknown, answered: Answered): void {
    if (this.#failure !== undefined) {
      setImmediate(answered, this.#failure, undefined);
      return;
    }
    this.#lastId += 1;
    this.#asked.set(this.#lastId, answered);
    this.#socket.write(frameOf([this.#lastId, method, body]));
  }

  #receive(chunk: Buffer): void {
    for (const [id, problem, body] of this.#decoder.push(chunk)) {
      const answered = this.#asked.get(id);
      this.#asked.delete(id);
      answered?.(problem === '' ? undefined : lost(problem), body);
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const [id, answered] of [...this.#asked]) {
      this.#asked.delete(id);
      answered(error, undefined);
    }
  }
}

function lost(what: string): MailraftError {
  return new MailraftError('NO_QUORUM', what);
}
