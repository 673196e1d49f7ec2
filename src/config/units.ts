/**
 * Quantities with a unit as people write them: durations and sizes.
 *
 * A number never goes without its unit, and each quantity has whole units only, so
 * that what is read is exactly what was written.
 */

const DURATION_UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const SIZE_UNITS_BYTES = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;

export const DURATION_PATTERN = '^(0|[1-9][0-9]{0,11})(ms|s|m|h)$';
export const SIZE_PATTERN = '^(0|[1-9][0-9]{0,11})(KiB|MiB|GiB|TiB)$';

/** Milliseconds of a duration such as `250ms` or `5m`; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  return parseQuantity(text, DURATION_PATTERN, DURATION_UNITS_MS);
}

/** Bytes of a size such as `64KiB` or `10GiB`; undefined when it is none. */
export function parseSize(text: string): number | undefined {
  return parseQuantity(text, SIZE_PATTERN, SIZE_UNITS_BYTES);
}

/** The shortest way to write a duration, which is rounded to whole milliseconds. */
export function formatDuration(durationMs: number): string {
  return formatQuantity(Math.round(durationMs), DURATION_UNITS_MS, 'ms');
}

/** The shortest way to write a size; below a KiB, which no setting is, in bytes. */
export function formatSize(bytes: number): string {
  return formatQuantity(bytes, SIZE_UNITS_BYTES, ' bytes');
}

type Units = Readonly<Record<string, number>>;

function parseQuantity(text: string, pattern: string, units: Units): number | undefined {
  const match = new RegExp(pattern).exec(text);
  const unit = units[match?.[2] ?? ''];
  if (match === null || unit === undefined) return undefined;
  const value = Number(match[1]) * unit;
  return Number.isSafeInteger(value) ? value : undefined;
}

function formatQuantity(value: number, units: Units, smallest: string): string {
  const whole = Object.entries(units).findLast(([, unit]) => value !== 0 && value % unit === 0);
  return whole === undefined ? `${value}${smallest}` : `${value / whole[1]}${whole[0]}`;
}
