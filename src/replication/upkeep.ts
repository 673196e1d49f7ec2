/**
 * Writes what is committed to the store now and then, and syncs the files. A full disk
 * makes it wait; nothing is lost meanwhile, for the journal has it all.
 */

import type { Foundation } from './foundation.ts';
import { isFull } from './problems.ts';

const FLUSH_MS = 200;
const CHECKPOINT_MS = 2000;
const ROOM_MS = 500;
/** Keys in memory beyond which applying waits for the store. */
const PENDING_KEYS_MAX = 20_000;

export class Upkeep {
  readonly #foundation: Foundation;
  readonly #isBelieved: () => boolean;
  readonly #timers: readonly NodeJS.Timeout[];
  #isWriting = false;

  /**
   * @param isBelieved whether the disk is what the index says: an index that is ahead of
   *   its disk must not be found after a start
   * @param onFailed hears of what is no lack of room
   */
  constructor(
    foundation: Foundation,
    isBelieved: () => boolean,
    onFailed: (error: unknown) => void,
  ) {
    this.#foundation = foundation;
    this.#isBelieved = isBelieved;
    const every = (ms: number, work: () => Promise<void>) =>
      setInterval(() => void this.#ifRoom(work).catch(onFailed), ms);
    this.#timers = [
      every(FLUSH_MS, () => this.#flush()),
      every(CHECKPOINT_MS, () => this.#checkpoint()),
      setInterval(() => this.#lookForRoom(onFailed), ROOM_MS),
    ];
  }

  /** Waits for the store when much was not written. */
  async relieve(): Promise<void> {
    const { parts } = this.#foundation;
    if (parts.index.store.pendingKeys <= PENDING_KEYS_MAX) return;
    await parts.problems.untilRoom('store', () => this.#flush());
  }

  /** Everything that is taken by now survives a loss of power. */
  async sync(): Promise<void> {
    await this.#foundation.parts.problems.untilRoom('store', () => this.#checkpoint());
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** Writes and syncs a last time, if there is room. */
  async finish(): Promise<void> {
    try {
      await this.#checkpoint();
    } catch (error) {
      if (!isFull(error)) throw error;
    }
  }

  async #flush(): Promise<void> {
    if (this.#isBelieved()) await this.#foundation.flush(false);
  }

  async #checkpoint(): Promise<void> {
    const { position, synced } = this.#foundation.parts.state.current;
    if (!this.#isBelieved() || position.index === synced) return;
    await this.#foundation.checkpoint.take();
  }

  #lookForRoom(onFailed: (error: unknown) => void): void {
    try {
      this.#foundation.room.look();
    } catch (error) {
      // A volume that can not be asked is not there any more.
      onFailed(error);
    }
  }

  /** What finds no room is written the next time. */
  async #ifRoom(work: () => Promise<void>): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    const { problems } = this.#foundation.parts;
    try {
      await work();
      problems.clear('store');
    } catch (error) {
      if (!isFull(error)) throw error;
      problems.set('store', error);
    } finally {
      this.#isWriting = false;
    }
  }
}
