/** The few figures that runs are told by. */

import { assert } from '../../src/errors.ts';

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The value below which the share lies; `share` in `[0, 1]`, the nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  assert(values.length > 0, 'there is no figure of nothing');
  const sorted = Float64Array.from(values).sort();
  const rank = Math.ceil(share * sorted.length) - 1;
  return sorted[Math.min(Math.max(rank, 0), sorted.length - 1)] as number;
}
