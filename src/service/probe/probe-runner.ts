/**
 * The probes of a service and what they say of it together.
 *
 * They run on the primary itself. A verdict never outlives the run that it was found
 * in: after `reset` and after `stop` nothing is known.
 */

import type { ProbeConfig } from '../../config/config.ts';
import { ProbeCycle } from './probe-cycle.ts';
import { combined, type Verdict } from './verdict.ts';

export interface ProbeEvents {
  /** The verdict of a probe has changed. */
  onChange(): void;
}

/** What one probe found, for status. */
export interface ProbeFinding {
  readonly name: string;
  readonly verdict: Verdict;
  /** ms since 1970 of the last outcome; null before the first. */
  readonly atMs: number | null;
  readonly text: string;
}

export class Probes {
  readonly #cycles: readonly ProbeCycle[];
  #isStarted = false;

  constructor(configs: readonly ProbeConfig[], events: ProbeEvents) {
    this.#cycles = configs.map((config) => new ProbeCycle(config, () => events.onChange()));
  }

  /** Passing as soon as all pass, and at once without any; failing when one fails. */
  get verdict(): Verdict {
    return combined(this.#cycles.map(({ verdict }) => verdict));
  }

  get reports(): readonly ProbeFinding[] {
    return this.#cycles.map(({ name, verdict, atMs, text }) => ({ name, verdict, atMs, text }));
  }

  /** How often each probe failed, since this process started. */
  get failureCounts(): readonly { readonly probe: string; readonly count: number }[] {
    return this.#cycles.map(({ name, failures }) => ({ probe: name, count: failures }));
  }

  start(): void {
    this.#isStarted = true;
    for (const cycle of this.#cycles) cycle.start();
  }

  stop(): void {
    this.#isStarted = false;
    for (const cycle of this.#cycles) cycle.stop();
  }

  /** Forgets all verdicts; what runs is asked anew at once. */
  reset(): void {
    for (const cycle of this.#cycles) {
      cycle.stop();
      if (this.#isStarted) cycle.start();
    }
  }
}
