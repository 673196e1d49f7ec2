/** How long a caller wants to wait for an answer. */

import { MailraftError } from '../../errors.ts';

const WAIT_MS_MAX = 600_000;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/**
 * The milliseconds of a text such as `10s`; undefined without one.
 *
 * @throws USAGE when it is no duration, or longer than 10 minutes
 */
export function waitMsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, count, unit = ''] = /^(\d{1,9})(ms|s|m)$/.exec(text) ?? [];
  const waitMs = Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  if (waitMs <= WAIT_MS_MAX) return waitMs;
  throw new MailraftError(
    'USAGE',
    `wait is ${JSON.stringify(text)}; accepted is a number with ms, s or m, at most 10m`,
  );
}
