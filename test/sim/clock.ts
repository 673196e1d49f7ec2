/** A machine's clock: it starts anywhere and runs a little fast or slow. */

import type { World } from './world.ts';

export class SimClock {
  readonly #world: World;
  readonly #rate: number;
  readonly #offsetMs: number;

  /** @param drift 0.02 runs 2 % fast */
  constructor(world: World, drift: number, offsetMs: number) {
    this.#world = world;
    this.#rate = 1 + drift;
    this.#offsetMs = offsetMs;
  }

  nowMs(): number {
    return this.#offsetMs + this.#world.nowMs * this.#rate;
  }

  /** How long a span of this clock takes in true time. */
  trueMs(localMs: number): number {
    return localMs / this.#rate;
  }

  /** Runs when this clock shows `atMs`. */
  at(atMs: number, run: () => void): void {
    this.#world.after(this.trueMs(atMs - this.nowMs()), run);
  }
}
