/** How late the event loop was at worst, looked at every few seconds. */

import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;
const EVERY_MS = 5000;

export class LoopDelay {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;

  /** @param onMeasured hears the longest delay since it heard last, in seconds */
  constructor(onMeasured: (seconds: number) => void) {
    this.#delay.enable();
    this.#timer = setInterval(() => {
      // The monitor counts its own resolution in.
      const ms = Math.max(0, this.#delay.max / 1e6 - RESOLUTION_MS);
      onMeasured(Number.isFinite(ms) ? ms / 1000 : 0);
      this.#delay.reset();
    }, EVERY_MS);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }
}
