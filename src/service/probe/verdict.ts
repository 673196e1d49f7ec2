/**
 * From outcomes to a verdict: one success is enough to pass, failing takes several
 * failures in a row. Pure.
 */

export type Verdict = 'unknown' | 'passing' | 'failing';

/** What one probe has shown so far. */
export interface Tally {
  readonly verdict: Verdict;
  readonly failuresInRow: number;
}

export const NOTHING_KNOWN: Tally = { verdict: 'unknown', failuresInRow: 0 };

/** @param failuresMax so many in a row mean failing */
export function counted(tally: Tally, isSuccess: boolean, failuresMax: number): Tally {
  if (isSuccess) return { verdict: 'passing', failuresInRow: 0 };
  const failuresInRow = tally.failuresInRow + 1;
  const verdict = failuresInRow >= failuresMax ? 'failing' : tally.verdict;
  return { verdict, failuresInRow };
}

/** The verdict about a service from those of all its probes; passing when it has none. */
export function combined(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('failing')) return 'failing';
  return verdicts.every((verdict) => verdict === 'passing') ? 'passing' : 'unknown';
}
