/** The observer's clock: CLOCK_MONOTONIC in milliseconds, the same as `process.hrtime`. */

const origin = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export function nowMs(): number {
  return origin + performance.now();
}

/** As it is printed: a tenth of a millisecond is more than the samples can tell. */
export function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
