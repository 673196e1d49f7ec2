/**
 * One question to a service over a connection of its own: with a deadline, an outcome
 * whatever happens, and nothing left open.
 */

import { connect, type Socket } from 'node:net';
import type { Endpoint } from '../../config/config.ts';
import { systemCode } from '../../errors.ts';

export interface ProbeOutcome {
  readonly isSuccess: boolean;
  /** What was found, for people. */
  readonly text: string;
}

export interface ProbeTarget {
  readonly address: Endpoint;
  /** For the whole question, connecting included. */
  readonly timeoutMs: number;
}

/** Asks once. Never rejects; when `signal` aborts, the outcome is a failure at once. */
export type Probe = (target: ProbeTarget, signal: AbortSignal) => Promise<ProbeOutcome>;

/** How long a service may take to close after the last word. */
const FAREWELL_MS = 1000;

export class Conversation {
  readonly outcome: Promise<ProbeOutcome>;
  readonly socket: Socket;
  readonly #startedAtMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  #resolve: (outcome: ProbeOutcome) => void = () => undefined;
  #awaited: string;
  #isOver = false;

  /** @param awaited what is waited for first, for people */
  constructor(target: ProbeTarget, signal: AbortSignal, awaited: string) {
    const { address, timeoutMs } = target;
    this.#awaited = awaited;
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const abort = () => {
      this.fail('given up');
      this.socket.destroy();
    };
    this.socket = connect(address);
    this.#timer = setTimeout(() => {
      this.fail(`no ${this.#awaited} within ${timeoutMs} ms`);
    }, timeoutMs);
    this.socket.on('error', (error) => {
      this.fail(`no ${this.#awaited}: ${systemCode(error) ?? error.message}`);
    });
    this.socket.on('end', () => this.fail(`closed before the ${this.#awaited}`));
    this.socket.on('close', () => {
      this.fail(`closed before the ${this.#awaited}`);
      signal.removeEventListener('abort', abort);
    });
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Names what is waited for from here on. */
  await(awaited: string): void {
    this.#awaited = awaited;
  }

  fail(text: string): void {
    if (this.#finish(false, text)) this.socket.destroy();
  }

  /** @param farewell said before the connection is closed */
  succeed(text: string, farewell?: string): void {
    const tookMs = Math.round(performance.now() - this.#startedAtMs);
    if (!this.#finish(true, `${text} in ${tookMs} ms`)) return;
    if (farewell === undefined) {
      this.socket.destroy();
      return;
    }
    this.socket.end(farewell);
    const timer = setTimeout(() => this.socket.destroy(), FAREWELL_MS);
    this.socket.once('close', () => clearTimeout(timer));
  }

  #finish(isSuccess: boolean, text: string): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#resolve({ isSuccess, text });
    return true;
  }
}
