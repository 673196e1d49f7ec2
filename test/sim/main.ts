/**
 * `npm run sim -- --seed S --seeds N [--ticks T] [--json]`: runs N seeds from S on
 * all cores. A failure prints its seed and the end of its trace; exit 1 then.
 */

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type SimulationResult, simulate } from './simulation.ts';

const TRACE_LINES = 60;
/** Traces of more failures than this would bury the first. */
const TRACES_MAX = 3;

interface Share {
  readonly seeds: readonly number[];
  readonly ticks: number;
}

export interface Campaign {
  readonly failed: readonly SimulationResult[];
  readonly passed: number;
  readonly committed: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** Runs the seeds, spread over the cores; `onResult` hears of each. */
export async function campaign(
  first: number,
  count: number,
  ticks: number,
  onFailure: (result: SimulationResult) => void,
): Promise<Campaign> {
  const cores = Math.min(availableParallelism(), count);
  const failed: SimulationResult[] = [];
  const counts: Record<string, number> = {};
  let [passed, committed] = [0, 0];
  const take = (result: SimulationResult): void => {
    if (result.violation === undefined) passed += 1;
    else {
      failed.push(result);
      onFailure(result);
    }
    committed += result.committed;
    for (const [kind, times] of Object.entries(result.counts)) {
      counts[kind] = (counts[kind] ?? 0) + times;
    }
  };
  const shares = Array.from({ length: cores }, (_, core) =>
    Array.from({ length: count }, (_, at) => first + at).filter((_, at) => at % cores === core),
  );
  await Promise.all(shares.map((seeds) => runShare({ seeds, ticks }, take)));
  return { failed, passed, committed, counts };
}

function runShare(share: Share, take: (result: SimulationResult) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: share });
    worker.on('message', take);
    worker.on('error', reject);
    worker.on('exit', () => resolve());
  });
}

function work({ seeds, ticks }: Share): void {
  for (const seed of seeds) parentPort?.postMessage(simulate({ seed, ticks }));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '100' },
      ticks: { type: 'string', default: '4000' },
      json: { type: 'boolean', default: false },
    },
  });
  const [seed, seeds, ticks] = [values.seed, values.seeds, values.ticks].map(Number) as [
    number,
    number,
    number,
  ];
  const print = (line: string) => process.stdout.write(`${line}\n`);
  let traces = 0;
  const outcome = await campaign(seed, seeds, ticks, ({ seed: failed, violation, trace }) => {
    print(`seed ${failed}: ${violation?.message}`);
    traces += 1;
    if (traces > TRACES_MAX) return;
    for (const line of trace.slice(-TRACE_LINES)) print(`  ${line}`);
  });
  const { failed, passed, committed, counts } = outcome;
  if (values.json) {
    const seedsFailed = failed.map((result) => result.seed);
    print(JSON.stringify({ seed, seeds, ticks, passed, failed: seedsFailed, committed, counts }));
  } else {
    for (const kind of Object.keys(counts).sort())
      print(`${String(counts[kind]).padStart(9)} ${kind}`);
    print(`seed ${seed}, ${seeds} seeds of ${ticks} ticks, ${committed} entries committed`);
    print(`${passed} passed, ${failed.length} failed`);
  }
  process.exitCode = failed.length > 0 ? 1 : 0;
}

if (isMainThread) await main();
else work(workerData as Share);
