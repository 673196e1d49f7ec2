/**
 * The voter's side of the lease: when this member must neither vote nor stand
 * (safety rules 4 and 5).
 *
 * Kept beside the core, because the core forgets: a new term, a lost leader or a
 * restart changes nothing about what was promised.
 */

/** The longest promise a voter gives, whatever it is asked for. */
export const PROMISE_MS_MAX: number = 10 * 60 * 1000;

export class Silence {
  /** Longest promise that the storage holds; a longer one must be stored before it is given. */
  #longestMs: number;
  #untilMs: number;

  /** @param longestMs the longest promise ever given, from the storage; 0 for none */
  constructor(longestMs: number, nowMs: number) {
    this.#longestMs = longestMs;
    // Which promise was the last is not known any more: keep the longest.
    this.#untilMs = longestMs === 0 ? 0 : nowMs + longestMs;
  }

  get longestMs(): number {
    return this.#longestMs;
  }

  get untilMs(): number {
    return this.#untilMs;
  }

  /** A promise of `promiseMs` is durable now. */
  stored(promiseMs: number): void {
    this.#longestMs = Math.max(this.#longestMs, promiseMs);
  }

  /**
   * Promises as much as was asked for, or as much as the storage covers.
   * Call it when the answer is handed to the network.
   *
   * @returns the promise that is kept from now on, in ms
   */
  promise(askedMs: number, nowMs: number): number {
    const keptMs = Math.min(askedMs, this.#longestMs);
    this.holdUntil(nowMs + keptMs);
    return keptMs;
  }

  /** Keeps silent until `untilMs` at least: the lease this member itself held. */
  holdUntil(untilMs: number): void {
    this.#untilMs = Math.max(this.#untilMs, untilMs);
  }

  isDue(nowMs: number): boolean {
    return nowMs < this.#untilMs;
  }
}
