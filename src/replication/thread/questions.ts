/**
 * Questions that one side of a thread has put to the other, until they are answered.
 */

import { errorOf, type Outcome, unpacked } from './messages.ts';

interface Asker {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class Questions {
  readonly #askers = new Map<number, Asker>();
  #last = 0;
  #end: Error | undefined;

  /** Puts a question; `send` gives it its number. */
  ask(send: (id: number) => void): Promise<unknown> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#askers.set(id, { resolve, reject });
      send(id);
    });
  }

  answered(id: number, outcome: Outcome): void {
    const asker = this.#askers.get(id);
    this.#askers.delete(id);
    if (outcome.isOk) asker?.resolve(unpacked(outcome.value));
    else asker?.reject(errorOf(outcome.fault));
  }

  /** Nobody answers any more: everything that is asked fails, also from here on. */
  end(error: Error): void {
    this.#end = error;
    for (const { reject } of this.#askers.values()) reject(error);
    this.#askers.clear();
  }
}
