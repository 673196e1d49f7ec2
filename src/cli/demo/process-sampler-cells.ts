/** What the sampler and its thread share: the order to stop, and the samples so far. */

import type { ProcessScanOptions } from './process-scan.ts';

export interface SamplerThreadData {
  readonly scan: ProcessScanOptions;
  readonly periodMs: number;
  /** Two 32-bit integers, at `STOP` and `SAMPLES`. */
  readonly shared: SharedArrayBuffer;
}

export const STOP = 0;
export const SAMPLES = 1;
