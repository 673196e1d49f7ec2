/**
 * How much memory the engine takes to save time.
 *
 * By default the space for new objects grows by tens of MiB before anything in it is
 * looked at, and code that runs often is compiled once more. The space never shrinks: so
 * whoever is to stay small must begin small.
 */

import { setFlagsFromString } from 'node:v8';

/** Nothing grows until it is known what this process is for. */
export function beginSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** For a process that has little to do; threads that start later heed it as well. */
export function staySmall(): void {
  setFlagsFromString('--max-semi-space-size=1');
  setFlagsFromString('--no-opt');
}

export function growAsUsual(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
}
