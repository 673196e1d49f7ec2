/** One piece of work after the other, in the order in which they were asked for. */

export class Turns {
  readonly #closing: AbortSignal;
  readonly #onDone: () => void;
  #last: Promise<void> = Promise.resolve();

  /** @param onDone hears of the end of each piece of work, however it ended */
  constructor(closing: AbortSignal, onDone: () => void) {
    this.#closing = closing;
    this.#onDone = onDone;
  }

  /** Runs `work` when everything before it is done; not at all once all is to end. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(() => {
      this.#closing.throwIfAborted();
      return work();
    });
    this.#last = done.then(this.#onDone, this.#onDone);
    return done;
  }

  /** Resolves when nothing is being done. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
