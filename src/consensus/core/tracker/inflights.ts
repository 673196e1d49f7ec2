/**
 * The window of append messages on their way to one follower, bounded by
 * their number and by the bytes of their entries.
 *
 * A ring that grows up to its limit: most followers never need all of it.
 */

import { assert } from '../../../errors.ts';
import type { LogIndex } from '../types.ts';

export class Inflights {
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  #last: LogIndex[] = [];
  #bytes: number[] = [];
  #start = 0;
  #count = 0;
  #bytesTotal = 0;

  constructor(messagesMax: number, bytesMax: number) {
    this.#messagesMax = messagesMax;
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether no further message may be sent. */
  get isFull(): boolean {
    return this.#count === this.#messagesMax || this.#bytesTotal >= this.#bytesMax;
  }

  /** Notes a message whose last entry is `last`; indexes rise from call to call. */
  add(last: LogIndex, bytes: number): void {
    assert(!this.isFull, 'an append was sent into a full window');
    if (this.#count === this.#last.length) this.#grow();
    const at = (this.#start + this.#count) % this.#last.length;
    this.#last[at] = last;
    this.#bytes[at] = bytes;
    this.#count += 1;
    this.#bytesTotal += bytes;
  }

  /** Forgets every message whose last entry is at or below `index`. */
  freeThrough(index: LogIndex): void {
    while (this.#count > 0 && (this.#last[this.#start] as number) <= index) {
      this.#bytesTotal -= this.#bytes[this.#start] as number;
      this.#start = (this.#start + 1) % this.#last.length;
      this.#count -= 1;
    }
  }

  reset(): void {
    this.#start = 0;
    this.#count = 0;
    this.#bytesTotal = 0;
  }

  #grow(): void {
    const size = Math.min(this.#messagesMax, Math.max(4, this.#last.length * 2));
    const last = new Array<LogIndex>(size).fill(0);
    const bytes = new Array<number>(size).fill(0);
    for (let i = 0; i < this.#count; i += 1) {
      const from = (this.#start + i) % this.#last.length;
      last[i] = this.#last[from] as number;
      bytes[i] = this.#bytes[from] as number;
    }
    this.#last = last;
    this.#bytes = bytes;
    this.#start = 0;
  }
}
