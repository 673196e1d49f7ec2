/**
 * Kills the service at its time from another thread, so that nothing which hangs in
 * the guardian's own, a driver or the system, can make it live longer (safety rule 3).
 */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { KillTimer } from './guardian.ts';

/** What the two threads share; whole numbers. */
const CELL_COUNT = 3;
/** Counts the changes: the other thread waits on it. */
export const CELL_CHANGES = 0;
/** The process group to kill; 0: none. */
export const CELL_GROUP = 1;
/** On the boot-time clock, in ms. */
export const CELL_AT_MS = 2;

export class KillThread implements KillTimer {
  readonly #cells = new BigInt64Array(new SharedArrayBuffer(CELL_COUNT * 8));
  readonly #worker: Worker;
  #armed = { group: 0, atMs: 0 };

  /** Resolves when the thread watches; an error of it ends the process. */
  static async start(): Promise<KillThread> {
    const thread = new KillThread();
    await once(thread.#worker, 'message');
    return thread;
  }

  private constructor() {
    this.#worker = new Worker(new URL('./kill-thread.js', import.meta.url), {
      workerData: this.#cells,
    });
    // Without it the guardian must not go on: the kernel ends its service with it.
    this.#worker.on('error', (error) => {
      throw error;
    });
  }

  arm(target: { readonly group: number; readonly atMs: number } | undefined): void {
    const { group, atMs } = target ?? { group: 0, atMs: 0 };
    if (group === this.#armed.group && atMs === this.#armed.atMs) return;
    this.#armed = { group, atMs };
    // The group goes away first: a time is never read with another one's group.
    Atomics.store(this.#cells, CELL_GROUP, 0n);
    Atomics.store(this.#cells, CELL_AT_MS, BigInt(Math.ceil(atMs)));
    Atomics.store(this.#cells, CELL_GROUP, BigInt(group));
    Atomics.add(this.#cells, CELL_CHANGES, 1n);
    Atomics.notify(this.#cells, CELL_CHANGES);
  }
}
