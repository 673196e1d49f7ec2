/**
 * How far a member is behind, in bytes and seconds: remembers when entries came into
 * the own log and how large they were.
 */

interface Mark {
  readonly index: number;
  readonly atMs: number;
  readonly bytes: number;
  /** Bytes of all entries up to this one. */
  readonly sum: number;
}

export interface Lag {
  readonly entries: number;
  readonly bytes: number;
  readonly seconds: number;
}

const MARKS_MAX = 20_000;

export class LagMeter {
  #marks: Mark[] = [];
  #sum = 0;

  /** An entry came into the log. */
  note(index: number, bytes: number, nowMs: number): void {
    while ((this.#marks.at(-1)?.index ?? 0) >= index) this.#sum -= this.#marks.pop()?.bytes ?? 0;
    this.#sum += bytes;
    this.#marks.push({ index, atMs: nowMs, bytes, sum: this.#sum });
    if (this.#marks.length > MARKS_MAX) this.#marks = this.#marks.slice(MARKS_MAX / 2);
  }

  /** What lies between `match` and `lastIndex`; bytes and seconds as far as is remembered. */
  lag(match: number, lastIndex: number, nowMs: number): Lag {
    if (match >= lastIndex) return { entries: 0, bytes: 0, seconds: 0 };
    const first = this.#firstAfter(match);
    const entries = lastIndex - match;
    const mark = this.#marks[first];
    if (mark === undefined) return { entries, bytes: 0, seconds: 0 };
    const before = mark.sum - mark.bytes;
    const seconds = Math.max(0, nowMs - mark.atMs) / 1000;
    return { entries, bytes: this.#sum - before, seconds };
  }

  #firstAfter(index: number): number {
    let [low, high] = [0, this.#marks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#marks[middle] as Mark).index > index) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
