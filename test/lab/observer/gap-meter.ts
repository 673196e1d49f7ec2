/** The longest time between two marks; the first mark starts it. */

export class GapMeter {
  #last: number | undefined;
  #longest = 0;
  #marks = 0;

  mark(atMs: number): void {
    this.close(atMs);
    this.#last = atMs;
    this.#marks += 1;
  }

  /** The time since the last mark counts too, without there being a new mark. */
  close(atMs: number): void {
    if (this.#last !== undefined) this.#longest = Math.max(this.#longest, atMs - this.#last);
  }

  get longestMs(): number {
    return this.#longest;
  }

  get marks(): number {
    return this.#marks;
  }
}
