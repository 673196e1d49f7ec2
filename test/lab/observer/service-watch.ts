/**
 * On which machines the service runs, sample by sample.
 *
 * A look at several machines takes time, and the service may end on one and
 * start on the other between two looks. So a double is only called one when a
 * process of one machine was seen before and after a look that found the other
 * running: then both ran at that moment. See `provenTogether`.
 *
 * No /proc and no clock here: both are the caller's.
 */

import type { ObserverEvent, ServiceInterval } from './report.ts';
import { ViolationLog } from './violations.ts';

/** A running service process of a machine: its pid and its start, so that no other passes for it. */
export type Sighting = string | undefined;

interface Run {
  readonly fromMs: number;
  toMs: number;
  samples: number;
}

export class ServiceWatch {
  readonly doubles: ViolationLog;
  readonly #emit: (event: ObserverEvent) => void;
  readonly #running = new Map<string, Run>();
  readonly #ran: ServiceInterval[] = [];

  constructor(emit: (event: ObserverEvent) => void) {
    this.#emit = emit;
    this.doubles = new ViolationLog('doubleService', emit);
  }

  /** What one look at a machine found. */
  saw(machine: string, runs: boolean, atMs: number): void {
    const run = this.#running.get(machine);
    if (runs && run === undefined) {
      this.#running.set(machine, { fromMs: atMs, toMs: atMs, samples: 1 });
      this.#emit({ event: 'service', atMs, machine, runs: true });
    } else if (runs && run !== undefined) {
      run.toMs = atMs;
      run.samples += 1;
    } else if (run !== undefined) {
      this.#running.delete(machine);
      this.#ran.push({ machine, ...run });
      this.#emit({ event: 'service', atMs, machine, runs: false });
    }
  }

  /** All intervals in the order of their beginning, those that still last included. */
  get services(): ServiceInterval[] {
    const open = [...this.#running].map(([machine, run]) => ({ machine, ...run }));
    return [...this.#ran, ...open].sort((a, b) => a.fromMs - b.fromMs);
  }
}

/**
 * Which machines certainly ran the service at the same moment.
 *
 * `first` and `second` are two passes over the machines, in the same order.
 * For machines i before j the looks come as i1 j1 i2 j2: the same process at i1
 * and i2 ran during j1, and the same process at j1 and j2 ran during i2.
 */
export function provenTogether(first: readonly Sighting[], second: readonly Sighting[]): number[] {
  const together = new Set<number>();
  const stayed = first.map(
    (sighting, index) => sighting !== undefined && sighting === second[index],
  );
  for (let i = 0; i < first.length; i += 1) {
    for (let j = i + 1; j < first.length; j += 1) {
      const duringFirst = stayed[i] === true && first[j] !== undefined;
      const duringSecond = stayed[j] === true && second[i] !== undefined;
      if (duringFirst || duringSecond) together.add(i).add(j);
    }
  }
  return [...together];
}
