/**
 * Replication lag as the file systems show it: from the moment a message's file gets its
 * name in the primary's volume until it has that name in a follower's.
 *
 * A thread of its own watches the three folders through the kernel's notifications, so
 * nothing of the product and no busy event loop has a say in the times. A follower makes
 * a file visible when it is whole.
 */

import { Worker } from 'node:worker_threads';
import { assert, MailraftError } from '../../errors.ts';

export interface WatchedFolder {
  readonly node: string;
  readonly path: string;
}

/** A name was there for the first time. */
export interface Sighting {
  readonly node: string;
  readonly name: string;
  readonly atMs: number;
}

/** A node that was down and back in step again: what it missed is no lag. */
export interface Absence {
  readonly node: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export class LagWatch {
  readonly #worker: Worker;
  readonly #result: Promise<Sighting[]>;

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.#result = new Promise((resolve, reject) => {
      worker.on('message', (message) => {
        if (message !== 'watching') resolve(message as Sighting[]);
      });
      worker.once('error', reject);
      worker.once('exit', () => {
        reject(new MailraftError('SERVICE_FAILED', 'the lag watch ended without a result'));
      });
    });
    // Its failure is told by `stop`.
    this.#result.catch(() => {});
  }

  /** The folders must exist. Resolves when they are watched. */
  static async start(folders: readonly WatchedFolder[]): Promise<LagWatch> {
    const worker = new Worker(new URL('./lag-watch-thread.js', import.meta.url), {
      workerData: folders,
    });
    const watch = new LagWatch(worker);
    const watching = new Promise((resolve) => worker.once('message', resolve));
    await Promise.race([watching, watch.#result]);
    return watch;
  }

  stop(): Promise<Sighting[]> {
    this.#worker.postMessage('stop');
    return this.#result;
  }
}

/**
 * One lag for each message and each follower that got it. Whoever has a name first is
 * the primary of that message.
 */
export function lagsOf(sightings: readonly Sighting[], absences: readonly Absence[]): number[] {
  const firstAtMs = new Map<string, number>();
  const lags: number[] = [];
  for (const { node, name, atMs } of sightings.toSorted((a, b) => a.atMs - b.atMs)) {
    const writtenAtMs = firstAtMs.get(name);
    if (writtenAtMs === undefined) {
      firstAtMs.set(name, atMs);
      continue;
    }
    const wasAway = absences.some(
      (absence) => absence.node === node && writtenAtMs <= absence.toMs && atMs >= absence.fromMs,
    );
    if (!wasAway) lags.push(atMs - writtenAtMs);
  }
  return lags;
}

/** The value that a share of all do not exceed, the share between 0 and 1. */
export function percentile(values: readonly number[], share: number): number {
  assert(values.length > 0, 'a percentile is of at least one value');
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
