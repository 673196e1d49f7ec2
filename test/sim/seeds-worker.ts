/** Runs seeds of a campaign, one after the other, until none is left. */

import { parentPort, workerData } from 'node:worker_threads';
import type { Failure, SeedReport, WorkerData } from './campaign.ts';
import { drawPlan, type RunOptions } from './plan.ts';
import { argumentsOf, shrink } from './shrink.ts';
import { type SimulationResult, simulate } from './simulation.ts';

/** What led to the violation is near it. */
const TRACE_LINES = 80;
/** Shrinking takes a while: where many fail, the first ones tell. */
const SHRUNK_MAX = 2;

let shrunk = 0;

function failureOf(options: RunOptions, result: SimulationResult): Failure | undefined {
  const { violation } = result;
  if (violation === undefined) return undefined;
  const { invariant, message: text } = violation;
  shrunk += 1;
  if (shrunk > SHRUNK_MAX) return { invariant, text, again: argumentsOf(options), trace: [] };
  const smallest = shrink(options, result);
  return {
    invariant,
    text: smallest.result.violation?.message ?? text,
    again: argumentsOf(smallest.options),
    trace: smallest.result.trace.slice(-TRACE_LINES),
  };
}

function run(options: RunOptions): SeedReport {
  const result = simulate(options);
  const { seed, committed, ticks, fingerprint, counts } = result;
  const { storage, ids } = drawPlan(options);
  const failure = failureOf(options, result);
  return { seed, storage, members: ids.length, committed, ticks, fingerprint, counts, failure };
}

const { next, end, options } = workerData as WorkerData;
const nextSeed = new Int32Array(next);
for (let seed = Atomics.add(nextSeed, 0, 1); seed < end; seed = Atomics.add(nextSeed, 0, 1)) {
  parentPort?.postMessage(run({ ...options, seed }));
}
