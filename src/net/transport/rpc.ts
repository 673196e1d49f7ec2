/**
 * Questions and answers over a bulk channel.
 *
 * Pure bookkeeping: frames come from and go to whoever holds the connection.
 */

import { type ErrorCode, isMailraftError, MailraftError, messageOf } from '../../errors.ts';
import { decode, encode } from '../../platform/msgpack.ts';

/** Answers one method; what it throws as `MailraftError` is told to the peer. */
export type RpcHandler = (params: unknown, from: string) => Promise<unknown> | unknown;

/** Questions of one peer that are worked on at once; more wait. */
const UNDER_WAY_MAX = 16;
/** Questions that may wait; more are refused. */
const WAITING_MAX = 256;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** The asking end. */
export class RpcClient {
  readonly #send: (parts: readonly Uint8Array[]) => boolean;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  constructor(send: (parts: readonly Uint8Array[]) => boolean) {
    this.#send = send;
  }

  /**
   * Asks, and waits for the answer.
   *
   * @throws {MailraftError} the peer's refusal; `NO_QUORUM` when it can not be
   *   reached; `TIMED_OUT` when it does not answer
   */
  ask(method: string, params: unknown, timeoutMs: number): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new MailraftError('TIMED_OUT', `no answer to ${method} within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#pending.set(id, { resolve, reject, timer });
      if (!this.#send([encode([id, method, params])])) this.#fail(id, 'the peer is out of reach');
    });
  }

  /** Takes a frame that answers. */
  take(payload: Buffer): void {
    const answer = decode(payload);
    if (!Array.isArray(answer)) throw new MailraftError('FRAME_INVALID', 'an answer is no list');
    const [id, code, value] = answer as [number, string, unknown];
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    if (code === '') pending.resolve(value);
    else pending.reject(new MailraftError(code as ErrorCode, String(value)));
  }

  /** The connection is gone: nothing that was asked is answered any more. */
  lost(reason: string): void {
    for (const id of [...this.#pending.keys()]) this.#fail(id, reason);
  }

  #fail(id: number, reason: string): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    pending.reject(new MailraftError('NO_QUORUM', reason));
  }
}

/** The answering end of one connection. */
export class RpcServer {
  readonly #handlers: ReadonlyMap<string, RpcHandler>;
  readonly #waiting: (() => Promise<void>)[] = [];
  #underWay = 0;

  constructor(handlers: ReadonlyMap<string, RpcHandler>) {
    this.#handlers = handlers;
  }

  /** Takes a frame that asks. */
  take(payload: Buffer, from: string, reply: (parts: readonly Uint8Array[]) => void): void {
    const question = decode(payload);
    if (!Array.isArray(question)) throw new MailraftError('FRAME_INVALID', 'a question is no list');
    const [id, method, params] = question as [number, unknown, unknown];
    if (this.#waiting.length >= WAITING_MAX) {
      reply([encode([id, 'OVERLOADED', 'too many questions wait'])]);
      return;
    }
    this.#waiting.push(async () => reply([await this.#answer(id, String(method), params, from)]));
    this.#work();
  }

  #work(): void {
    while (this.#underWay < UNDER_WAY_MAX) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#underWay += 1;
      void next().finally(() => {
        this.#underWay -= 1;
        this.#work();
      });
    }
  }

  async #answer(id: number, method: string, params: unknown, from: string): Promise<Buffer> {
    try {
      const handler = this.#handlers.get(method);
      if (handler === undefined) throw new MailraftError('NOT_FOUND', `no method ${method}`);
      return encode([id, '', await handler(params, from)]);
    } catch (error) {
      const code = isMailraftError(error) ? error.code : 'INVARIANT';
      return encode([id, code, messageOf(error)]);
    }
  }
}
