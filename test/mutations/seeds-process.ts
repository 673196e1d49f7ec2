/**
 * Runs the seeds that its parent names, one after the other, and tells what each came to.
 *
 * `process.send`: `{ seed, ticks }` in, a `SeedOutcome` out.
 */

import { simulate } from '../sim/simulation.ts';

export interface SeedWork {
  readonly seed: number;
  readonly ticks: number;
}

export interface SeedOutcome {
  readonly seed: number;
  readonly violation: { readonly invariant: string; readonly text: string } | undefined;
}

process.on('message', ({ seed, ticks }: SeedWork) => {
  const { violation } = simulate({ seed, ticks });
  const told = violation && { invariant: violation.invariant, text: violation.message };
  process.send?.({ seed, violation: told } satisfies SeedOutcome);
});

process.on('disconnect', () => process.exit());
