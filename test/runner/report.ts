/** The lines that a run of the tests prints. */

import type { FileRun } from './run-file.ts';

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** One line for a file, then what its tests said and whatever went wrong, in full. */
export function fileReport(source: string, { outcome, stderr, seconds }: FileRun): string {
  const { passed, failures, skips, comments } = outcome;
  const isOk = failures.length === 0;
  const counts = [
    `${passed} passed`,
    ...(isOk ? [] : [`${failures.length} failed`]),
    ...(skips.length === 0 ? [] : [`${skips.length} skipped`]),
  ];
  const time = `${seconds.toFixed(1)}s`.padStart(7);
  const head = `${isOk ? 'ok' : 'FAILED'} ${time}  ${counts.join(', ')}  ${source}`;
  const skipLines = skips.map(({ name, reason }) => `    skipped: ${name} (${reason})`);
  const said = comments.map((comment) => `    ${comment}`);
  const wrong = failures.flatMap(({ name, text }) => ['', `  ✗ ${name}`, indented(text)]);
  const errors = isOk || stderr === '' ? [] : ['', '  standard error:', indented(stderr.trimEnd())];
  const end = isOk ? [] : [''];
  return [head, ...said, ...skipLines, ...wrong, ...errors, ...end].join('\n');
}

/** The line that closes the run, alone on its line. */
export function closingLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

export function totalsOf(runs: Iterable<FileRun>): Totals {
  let [passed, failed, skipped] = [0, 0, 0];
  for (const { outcome } of runs) {
    passed += outcome.passed;
    failed += outcome.failures.length;
    skipped += outcome.skips.length;
  }
  return { passed, failed, skipped };
}

function indented(text: string): string {
  return text.replace(/^/gm, '      ');
}
