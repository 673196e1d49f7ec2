/**
 * Waits on conditions, all within one bound: a run that waits for something that never
 * comes ends in time and says what it was.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { MailraftError } from '../../errors.ts';
import { monotonicMs } from './smtp-session.ts';

export interface WaitingOptions {
  /** For all waits together, from now on. */
  readonly msMax: number;
  /** Ends every wait; its reason is thrown. */
  readonly signal: AbortSignal;
}

const LOOK_EVERY_MS = 40;

export class Waiting {
  readonly #signal: AbortSignal;
  readonly #beganAtMs: number;
  readonly #msMax: number;

  constructor({ msMax, signal }: WaitingOptions) {
    this.#signal = signal;
    this.#msMax = msMax;
    this.#beganAtMs = monotonicMs();
  }

  /** Since the waiting began, ms. */
  get elapsedMs(): number {
    return monotonicMs() - this.#beganAtMs;
  }

  /** Resolves with the first look that is not undefined. */
  async until<T>(
    what: string,
    look: () => T | undefined | Promise<T | undefined>,
    withinMs: number = Number.POSITIVE_INFINITY,
  ): Promise<T> {
    const beganAtMs = monotonicMs();
    const endAtMs = Math.min(beganAtMs + withinMs, this.#beganAtMs + this.#msMax);
    for (;;) {
      this.#signal.throwIfAborted();
      const found = await look();
      if (found !== undefined) return found;
      if (monotonicMs() >= endAtMs) throw timedOut(what, monotonicMs() - beganAtMs);
      await delay(LOOK_EVERY_MS);
    }
  }
}

function timedOut(what: string, waitedMs: number): MailraftError {
  const seconds = (waitedMs / 1_000).toFixed(1);
  return new MailraftError('TIMED_OUT', `waited ${seconds} s in vain for ${what}`);
}
