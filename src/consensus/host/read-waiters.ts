/**
 * Those who wait for a read index (dissertation §6.4): each hears the index once, or
 * that the lead was lost before it could be confirmed.
 */

import type { ReadAnswer } from '../core/reads.ts';
import type { LogIndex } from '../core/types.ts';

type Hear = (index: LogIndex | undefined) => void;

export class ReadWaiters {
  readonly #waiting = new Map<string, Hear>();
  #asked = 0;

  /** @returns the token to ask with; no two are alike */
  add(hear: Hear): string {
    this.#asked += 1;
    const token = `${this.#asked}`;
    this.#waiting.set(token, hear);
    return token;
  }

  answer(reads: readonly ReadAnswer[]): void {
    for (const { token, index } of reads) this.#tell(token, index);
  }

  /** Nobody will answer any more. */
  giveUp(): void {
    for (const token of [...this.#waiting.keys()]) this.#tell(token, undefined);
  }

  #tell(token: string, index: LogIndex | undefined): void {
    const hear = this.#waiting.get(token);
    this.#waiting.delete(token);
    hear?.(index);
  }
}
