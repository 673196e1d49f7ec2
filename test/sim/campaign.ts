/** Many seeds on all cores. */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { RunOptions } from './plan.ts';

/** What one seed came to. */
export interface SeedReport {
  readonly seed: number;
  readonly storage: string;
  readonly members: number;
  readonly committed: number;
  readonly ticks: number;
  readonly fingerprint: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly failure: Failure | undefined;
}

export interface Failure {
  readonly invariant: string;
  readonly text: string;
  /** Arguments that run the shrunk case again, and the end of its trace. */
  readonly again: string;
  readonly trace: readonly string[];
}

export interface Campaign {
  readonly failed: readonly SeedReport[];
  readonly passed: number;
  readonly committed: number;
  readonly ticks: number;
  /** Seeds by what they ran on. */
  readonly storages: Readonly<Record<string, number>>;
  readonly counts: Readonly<Record<string, number>>;
  /** Of all seeds together. */
  readonly fingerprint: string;
}

/** What a worker is given; it takes the next seed whenever it is done with one. */
export interface WorkerData {
  /** The next seed to be taken, shared by all. */
  readonly next: SharedArrayBuffer;
  readonly end: number;
  readonly options: Omit<RunOptions, 'seed'>;
}

/** Runs the seeds, spread over the cores; `onFailure` hears of each that fails. */
export async function campaign(
  seeds: { readonly first: number; readonly count: number },
  options: Omit<RunOptions, 'seed'>,
  onFailure: (report: SeedReport) => void,
): Promise<Campaign> {
  const reports: SeedReport[] = [];
  const take = (report: SeedReport): void => {
    reports.push(report);
    if (report.failure !== undefined) onFailure(report);
  };
  const next = new SharedArrayBuffer(4);
  new Int32Array(next)[0] = seeds.first;
  const work: WorkerData = { next, end: seeds.first + seeds.count, options };
  const cores = Math.min(availableParallelism(), seeds.count);
  await Promise.all(Array.from({ length: cores }, () => runWorker(work, take)));
  return summed(reports.sort((a, b) => a.seed - b.seed));
}

function runWorker(workerData: WorkerData, take: (report: SeedReport) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./seeds-worker.js', import.meta.url), { workerData });
    worker.on('message', take);
    worker.on('error', reject);
    worker.on('exit', () => resolve());
  });
}

function summed(reports: readonly SeedReport[]): Campaign {
  const counts: Record<string, number> = {};
  const storages: Record<string, number> = {};
  let [committed, ticks, fingerprint] = [0, 0, 0];
  for (const report of reports) {
    committed += report.committed;
    ticks += report.ticks;
    storages[report.storage] = (storages[report.storage] ?? 0) + 1;
    fingerprint = Math.imul(fingerprint, 31) + Number.parseInt(report.fingerprint, 16);
    for (const [kind, times] of Object.entries(report.counts)) {
      counts[kind] = (counts[kind] ?? 0) + times;
    }
  }
  const failed = reports.filter(({ failure }) => failure !== undefined);
  return {
    failed,
    passed: reports.length - failed.length,
    committed,
    ticks,
    storages,
    counts,
    fingerprint: (fingerprint >>> 0).toString(16).padStart(8, '0'),
  };
}
