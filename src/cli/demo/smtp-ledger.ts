/**
 * What a load client knows at the end: which messages the server answered 250, which
 * may or may not exist, and when the service was heard from. Pure.
 */

export interface AnsweredMessage {
  readonly id: string;
  /** SHA-256 of the message's bytes, in hex. */
  readonly digest: string;
  readonly bytes: number;
  /** When the 250 to the final dot arrived, on the monotonic clock. */
  readonly answeredAtMs: number;
}

export interface UnknownMessage {
  readonly id: string;
  readonly digest: string;
}

export interface Ledger {
  readonly answered: readonly AnsweredMessage[];
  /** Sent at least in part and not answered 250. */
  readonly unknown: readonly UnknownMessage[];
  /** Messages that the server refused for good (5xx); they are not sent again. */
  readonly refusedCount: number;
  /** Entries that were forgotten because the ledger was full; a proof needs 0. */
  readonly forgottenCount: number;
}

/** The time around an event in which clients heard nothing. */
export interface Outage {
  readonly eventAtMs: number;
  readonly lastSuccessAtMs: number;
  readonly firstSuccessAtMs: number;
  readonly gapMs: number;
}

/**
 * The longest silence that ends after the event: the service may answer for a while
 * after what happened to its node, so the silence need not begin at the event.
 * Only answers before `untilMs`, or the first one after it, belong to this event.
 * Undefined while there is no answer after the event.
 */
export function findOutage(
  successesAtMs: readonly number[],
  eventAtMs: number,
  untilMs: number = Number.POSITIVE_INFINITY,
): Outage | undefined {
  let longest: Outage | undefined;
  for (let index = 1; index < successesAtMs.length; index += 1) {
    const lastSuccessAtMs = successesAtMs[index - 1] ?? 0;
    const firstSuccessAtMs = successesAtMs[index] ?? 0;
    if (firstSuccessAtMs <= eventAtMs) continue;
    if (lastSuccessAtMs >= untilMs) break;
    // A silence that spans the next event is the doing of the one that it begins nearer to.
    const isOfNext = lastSuccessAtMs - eventAtMs > untilMs - lastSuccessAtMs;
    if (firstSuccessAtMs > untilMs && isOfNext) break;
    const gapMs = firstSuccessAtMs - lastSuccessAtMs;
    if (longest === undefined || gapMs > longest.gapMs) {
      longest = { eventAtMs, lastSuccessAtMs, firstSuccessAtMs, gapMs };
    }
  }
  return longest;
}

/** A list that forgets its oldest entries in steps once it is full. */
export class BoundedList<T> {
  readonly #max: number;
  #items: T[] = [];
  forgottenCount = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get items(): readonly T[] {
    return this.#items;
  }

  push(item: T): void {
    if (this.#items.length >= this.#max) {
      const keepFrom = Math.ceil(this.#max / 10);
      this.#items = this.#items.slice(keepFrom);
      this.forgottenCount += keepFrom;
    }
    this.#items.push(item);
  }
}
