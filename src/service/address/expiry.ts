/**
 * The end of a hold, kept on the clock that counts while the machine sleeps.
 *
 * Node's timers do not, so the clock is looked at every few milliseconds while
 * something is held.
 */

import { bootTimeMs } from '../../platform/linux/clock.ts';

const LOOK_MS = 20;

export class Expiry {
  readonly #onLook: (isOver: boolean) => void;
  #untilMs = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param onLook called with every look, until `disarm` */
  constructor(onLook: (isOver: boolean) => void) {
    this.#onLook = onLook;
  }

  get untilMs(): number {
    return this.#untilMs;
  }

  /** How much is left; 0 when nothing is held. */
  get leftMs(): number {
    return this.#timer === undefined ? 0 : Math.max(0, this.#untilMs - bootTimeMs());
  }

  get isOver(): boolean {
    return this.leftMs <= 0;
  }

  arm(untilMs: number): void {
    this.#untilMs = untilMs;
    this.#timer ??= setInterval(() => this.#onLook(this.isOver), LOOK_MS);
  }

  disarm(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
