/**
 * Makes a failing run small: fewer kinds of faults, fewer members, fewer ticks, as long as
 * the same invariant breaks.
 */

import { FAULT_KINDS, type FaultKind } from './faults/kinds.ts';
import { drawPlan, type RunOptions } from './plan.ts';
import { type SimulationResult, simulate } from './simulation.ts';

export interface Shrunk {
  readonly options: RunOptions;
  /** Of the shrunk run, with its trace. */
  readonly result: SimulationResult;
}

const MEMBERS_MIN = 3;
/** One seed may take seconds: the shrinking ends somewhere. */
const RUNS_MAX = 60;

/** @param options of a run that ended in `failed` */
export function shrink(options: RunOptions, failed: SimulationResult): Shrunk {
  const invariant = failed.violation?.invariant;
  let runs = 0;
  let smallest = withTicks(options, failed);
  const attempt = (tried: RunOptions): boolean => {
    if (runs >= RUNS_MAX) return false;
    runs += 1;
    const result = simulate(tried);
    if (result.violation?.invariant !== invariant) return false;
    smallest = withTicks(tried, result);
    return true;
  };
  attempt({ ...smallest, membersMax: MEMBERS_MIN });
  for (const kind of drawPlan(options).faults) {
    attempt({ ...smallest, faults: without(smallest.faults, kind) });
  }
  // What breaks in the peace afterwards may break after less.
  while (smallest.ticks > 16 && attempt({ ...smallest, ticks: Math.floor(smallest.ticks / 2) }));
  return { options: smallest, result: simulate({ ...smallest, isTraced: true }) };
}

/** Nothing that comes after the violation is needed. */
function withTicks(options: RunOptions, { ticks }: SimulationResult): RunOptions {
  return { ...options, ticks: Math.min(options.ticks, ticks + 1) };
}

function without(kinds: readonly FaultKind[] | undefined, kind: FaultKind): readonly FaultKind[] {
  return (kinds ?? FAULT_KINDS).filter((other) => other !== kind);
}

/** The arguments that run it again. */
export function argumentsOf({ seed, ticks, membersMax, faults, storage }: RunOptions): string {
  const parts = [`--seed ${seed} --seeds 1 --ticks ${ticks}`];
  if (membersMax !== undefined) parts.push(`--members ${membersMax}`);
  if (faults !== undefined) {
    const drawn = drawPlan({ seed, ticks }).faults.filter((kind) => faults.includes(kind));
    parts.push(`--faults ${drawn.join(',') || 'none'}`);
  }
  if (storage !== undefined) parts.push(`--storage ${storage}`);
  return parts.join(' ');
}
