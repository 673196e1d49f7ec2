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

interface Reason {
  readonly text: string;
  readonly code: string | undefined;
  readonly isFull: boolean;
}

export class Problems {
  readonly #reasons = new Map<Hindered, Reason>();
  readonly #closing: AbortSignal;
  readonly #onProblem: (reason: string) => void;

  /**
   * @param closing ends every wait
   * @param onProblem hears of it when something begins to wait, or goes on to wait for something else
   */
  constructor(closing: AbortSignal, onProblem: (reason: string) => void) {
    this.#closing = closing;
    this.#onProblem = onProblem;
  }

  /** The reasons that stand, in words. */
  get text(): string | undefined {
    return inWords([...this.#reasons.values()]);
  }

  /** The reasons of those that wait for room. */
  get lack(): string | undefined {
    return inWords([...this.#reasons.values()].filter((reason) => reason.isFull));
  }

  set(what: Hindered, error: unknown): void {
    const reason = { text: messageOf(error), code: systemCode(error), isFull: isFull(error) };
    const before = this.#reasons.get(what);
    this.#reasons.set(what, reason);
    // The same trouble with other figures is no news.
    if (before === undefined || before.code !== reason.code) this.#onProblem(reason.text);
  }

  clear(what: Hindered): void {
    this.#reasons.delete(what);
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

function inWords(reasons: readonly Reason[]): string | undefined {
  return reasons.length === 0 ? undefined : reasons.map(({ text }) => text).join('; ');
}
