/**
 * An independent witness of "never two services": samples the service processes of all
 * nodes from /proc, in a process that nothing of the cluster or of the demo can delay.
 *
 * It believes nobody: it asks the kernel which processes run. It also says how good a
 * witness it was: the number of samples and the longest time it did not look.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { assert, MailraftError } from '../../errors.ts';
import type { FromSampler, ToSampler } from './process-sampler-words.ts';
import type { ProcessScanOptions } from './process-scan.ts';
import type { SamplerResult } from './process-timeline.ts';

export interface ProcessSamplerOptions extends ProcessScanOptions {
  /** @default 10 */
  readonly periodMs?: number;
}

/** Garbage is collected by the thread that samples: it waits for no other. */
const NODE_OPTIONS = ['--single-threaded-gc', '--max-semi-space-size=16'];

export class ProcessSampler {
  readonly #options: ProcessSamplerOptions;
  #process: ChildProcess | undefined;
  #result: Promise<SamplerResult> | undefined;
  #samples = 0;

  constructor(options: ProcessSamplerOptions) {
    this.#options = options;
  }

  /** Samples so far, as last told; it grows while the sampler is awake. */
  get samples(): number {
    return this.#samples;
  }

  start(): void {
    assert(this.#process === undefined, 'a sampler is started once');
    const { periodMs = 10, ...scan } = this.#options;
    const program = fileURLToPath(new URL('./process-sampler-main.js', import.meta.url));
    const sampler = spawn(process.execPath, [...NODE_OPTIONS, program], {
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#process = sampler;
    this.#result = new Promise((resolve, reject) => {
      sampler.on('message', (word: FromSampler) => {
        if (word.kind === 'samples') this.#samples = word.count;
        else resolve(word.result);
      });
      sampler.once('error', reject);
      sampler.once('exit', () => {
        reject(new MailraftError('SERVICE_FAILED', 'the sampler ended without a result'));
      });
    });
    // Its failure is told by `stop`, which may be called much later.
    this.#result.catch(() => {});
    sampler.send({ kind: 'start', scan, periodMs } satisfies ToSampler);
  }

  /** Ends the sampling and gives its account. Throws when the sampler had failed. */
  stop(): Promise<SamplerResult> {
    assert(this.#result !== undefined, 'a sampler is started before it is stopped');
    // One that has ended is told of by its result.
    if (this.#process?.connected === true) {
      this.#process.send({ kind: 'stop' } satisfies ToSampler, () => undefined);
    }
    return this.#result;
  }
}
