/** What the sampler and its process say to each other. */

import type { ProcessScanOptions } from './process-scan.ts';
import type { SamplerResult } from './process-timeline.ts';

export type ToSampler =
  | { readonly kind: 'start'; readonly scan: ProcessScanOptions; readonly periodMs: number }
  | { readonly kind: 'stop' };

export type FromSampler =
  | { readonly kind: 'samples'; readonly count: number }
  | { readonly kind: 'result'; readonly result: SamplerResult };
