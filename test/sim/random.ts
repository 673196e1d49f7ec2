/** The one source of chance of a simulation: a small fast generator (sfc32), seeded. */

export class Chance {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 2 ** 32) >>> 0;
    this.#c = 0x9e3779b9;
    for (let i = 0; i < 15; i += 1) this.#next();
  }

  /** An integer in `[0, below)`. */
  below(below: number): number {
    return Math.floor((this.#next() / 2 ** 32) * below);
  }

  /** A number in `[from, to)`. */
  between(from: number, to: number): number {
    return from + (this.#next() / 2 ** 32) * (to - from);
  }

  /** True with probability `p`. */
  happens(p: number): boolean {
    return p > 0 && this.#next() / 2 ** 32 < p;
  }

  /** Exponentially distributed with the given mean. */
  around(mean: number): number {
    return -Math.log(1 - this.#next() / 2 ** 32) * mean;
  }

  /** A number in `[from, to)`, as likely in each order of magnitude; both above 0. */
  acrossScales(from: number, to: number): number {
    return from * (to / from) ** (this.#next() / 2 ** 32);
  }

  /** Each item with probability `p`. */
  some<T>(items: readonly T[], p: number): T[] {
    return items.filter(() => this.happens(p));
  }

  shuffled<T>(items: readonly T[]): T[] {
    const drawn = [...items];
    for (let at = drawn.length - 1; at > 0; at -= 1) {
      const other = this.below(at + 1);
      [drawn[at], drawn[other]] = [drawn[other] as T, drawn[at] as T];
    }
    return drawn;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** A generator of its own, so that one part's draws do not shift another's. */
  fork(): Chance {
    return new Chance(this.#next() * 2 ** 20 + (this.#next() & 0xfffff));
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }
}
