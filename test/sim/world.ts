/**
 * Simulated true time: a queue of things to happen, run one after the other.
 *
 * Nothing else in a simulation has a notion of "later", so a run is a function of
 * its seed.
 */

interface Happening {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

export class World {
  #nowMs = 0;
  #order = 0;
  #fingerprint = 0;
  /** A binary heap by time, then by order of arrival. */
  readonly #heap: Happening[] = [];

  /** True time, in ms. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Of all that happened and when, for comparing two runs to the bit. */
  get fingerprint(): string {
    return (this.#fingerprint >>> 0).toString(16).padStart(8, '0');
  }

  after(delayMs: number, run: () => void): void {
    this.#order += 1;
    const atMs = delayMs > 0 ? this.#nowMs + delayMs : this.#nowMs;
    this.#push({ atMs, order: this.#order, run });
  }

  /** Lets the next thing happen; false when nothing is left before `untilMs`. */
  step(untilMs: number): boolean {
    const next = this.#heap[0];
    if (next === undefined || next.atMs > untilMs) {
      this.#nowMs = Math.max(this.#nowMs, untilMs);
      return false;
    }
    this.#pop();
    this.#nowMs = next.atMs;
    // Microseconds: the time of each event depends on every draw before it.
    const mixed = Math.imul(this.#fingerprint, 31) ^ next.order;
    this.#fingerprint = Math.imul(mixed, 31) ^ (next.atMs * 1000);
    next.run();
    return true;
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(happening);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(happening, heap[parent] as Happening)) break;
      heap[at] = heap[parent] as Happening;
      at = parent;
    }
    heap[at] = happening;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Happening;
    const { length } = heap;
    if (length === 0) return;
    let at = 0;
    for (let child = 1; child < length; child = at * 2 + 1) {
      const right = child + 1;
      const isRight =
        right < length && isBefore(heap[right] as Happening, heap[child] as Happening);
      if (isRight) child = right;
      if (!isBefore(heap[child] as Happening, last)) break;
      heap[at] = heap[child] as Happening;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
