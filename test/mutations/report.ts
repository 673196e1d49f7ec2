/** What came of each mutation, in lines of text. */

import type { Catch } from './hunt.ts';

export interface Trial {
  readonly name: string;
  /** The invariants that the patch names. */
  readonly invariants: readonly string[];
  readonly caught: Catch | undefined;
  /** A crash that no invariant and no assertion explains is none. */
  readonly isCaught: boolean;
  readonly seconds: number;
}

export function trialLine({ name, invariants, caught, seconds }: Trial): string {
  const took = `${seconds.toFixed(1).padStart(7)} s`;
  if (caught === undefined) return `${name.padEnd(40)} ${'-'.padEnd(32)} ${''.padStart(5)}${took}`;
  const by = caught.by === 'invariant' ? caught.invariant : caught.by;
  const line = `${name.padEnd(40)} ${by.padEnd(32)} ${`${caught.seed}`.padStart(5)}${took}`;
  const isExpected = invariants.includes(by);
  const first = caught.text.split('\n')[0];
  return isExpected ? line : `${line}  (expected ${invariants.join(', ')}; ${first})`;
}

export function closingLine(trials: readonly Trial[]): string {
  const caught = trials.filter(({ isCaught }) => isCaught);
  const asserted = caught.filter((trial) => trial.caught?.by === 'assertion');
  const apart = asserted.length > 0 ? ` (${asserted.length} by an assertion of the product)` : '';
  return `${caught.length} caught${apart}, ${trials.length - caught.length} escaped`;
}
