/**
 * Troubles that pass: a full disk, nobody to ask. What they keep from going on waits,
 * says so, and is tried again; every other failure ends replication on this node.
 */

import { setTimeout } from 'node:timers/promises';
import { messageOf, systemCode } from '../errors.ts';

/** What a trouble keeps from going on. */
export type Hindered = 'apply' | 'settle' | 'fetch' | 'store';

/** A full disk is tried again after so long. */
const SPACE_RETRY_MS = 500;

export class Problems {
  readonly #reasons = new Map<Hindered, string>();
  readonly #full = new Set<Hindered>();
  readonly #closing: AbortSignal;
  readonly #onProblem: (reason: string) => void;

  /**
   * @param closing ends every wait
   * @param onProblem hears of it once when something begins to wait, and why
   */
  constructor(closing: AbortSignal, onProblem: (reason: string) => void) {
    this.#closing = closing;
    this.#onProblem = onProblem;
  }

  /** The reasons that stand, in words. */
  get text(): string | undefined {
    return this.#reasons.size === 0 ? undefined : [...this.#reasons.values()].join('; ');
  }

  /** The reasons of those that wait for room. */
  get lack(): string | undefined {
    const reasons = [...this.#full].flatMap((what) => this.#reasons.get(what) ?? []);
    return reasons.length === 0 ? undefined : reasons.join('; ');
  }

  set(what: Hindered, error: unknown): void {
    const isNews = !this.#reasons.has(what);
    const reason = messageOf(error);
    this.#reasons.set(what, reason);
    if (isFull(error)) this.#full.add(what);
    else this.#full.delete(what);
    if (isNews) this.#onProblem(reason);
  }

  clear(what: Hindered): void {
    this.#reasons.delete(what);
    this.#full.delete(what);
  }

  /** Does `work`, again and again as long as a disk is too full for it. */
  async untilRoom<T>(what: Hindered, work: () => Promise<T>): Promise<T> {
    for (;;) {
      this.#closing.throwIfAborted();
      try {
        const result = await work();
        this.clear(what);
        return result;
      } catch (error) {
        if (!isFull(error)) throw error;
        this.set(what, error);
      }
      await setTimeout(SPACE_RETRY_MS, undefined, { signal: this.#closing });
    }
  }
}

/** Whether a disk has no room, or its owner's share is used up. */
export function isFull(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'NO_SPACE';
}

const PASSING = [
  'NO_QUORUM',
  'TIMED_OUT',
  'NOT_LEADER',
  'PRECONDITION_FAILED',
  'OVERLOADED',
  'PEER_REFUSED',
  // Another member leads by now, and knows nothing of what was begun.
  'NOT_FOUND',
];

/** Whether the same may succeed later: there is no room, or nobody to ask. */
export function isPassing(error: unknown): boolean {
  const code = systemCode(error);
  return isFull(error) || (code !== undefined && PASSING.includes(code));
}
