/**
 * An independent witness of "never two services": samples the service processes of all
 * nodes from /proc, in a thread that nothing of the cluster or of the demo can delay.
 *
 * It believes nobody: it asks the kernel which processes run. It also says how good a
 * witness it was: the number of samples and the longest time it did not look.
 */

import { Worker } from 'node:worker_threads';
import { assert, MailraftError } from '../../errors.ts';
import { SAMPLES, type SamplerThreadData, STOP } from './process-sampler-cells.ts';
import type { ProcessScanOptions } from './process-scan.ts';
import type { SamplerResult } from './process-timeline.ts';

export interface ProcessSamplerOptions extends ProcessScanOptions {
  /** @default 10 */
  readonly periodMs?: number;
}

export class ProcessSampler {
  readonly #options: ProcessSamplerOptions;
  readonly #cells: Int32Array<SharedArrayBuffer> = new Int32Array(new SharedArrayBuffer(8));
  #worker: Worker | undefined;
  #result: Promise<SamplerResult> | undefined;

  constructor(options: ProcessSamplerOptions) {
    this.#options = options;
  }

  /** Samples so far; it grows while the sampler is awake. */
  get samples(): number {
    return Atomics.load(this.#cells, SAMPLES);
  }

  start(): void {
    assert(this.#worker === undefined, 'a sampler is started once');
    const { periodMs = 10, ...scan } = this.#options;
    const workerData: SamplerThreadData = { scan, periodMs, shared: this.#cells.buffer };
    const worker = new Worker(new URL('./process-sampler-thread.js', import.meta.url), {
      workerData,
    });
    this.#worker = worker;
    this.#result = new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => {
        reject(new MailraftError('SERVICE_FAILED', 'the sampler ended without a result'));
      });
    });
    // Its failure is told by `stop`, which may be called much later.
    this.#result.catch(() => {});
  }

  /** Ends the sampling and gives its account. Throws when the sampler had failed. */
  stop(): Promise<SamplerResult> {
    assert(this.#result !== undefined, 'a sampler is started before it is stopped');
    Atomics.store(this.#cells, STOP, 1);
    Atomics.notify(this.#cells, STOP);
    return this.#result;
  }
}
