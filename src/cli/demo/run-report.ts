/** A finished run as a person reads it in a plain terminal: short tables, aligned. Pure. */

import { seconds } from './run-notes.ts';
import type { JudgedRun, Percentiles, RunResult, UnfinishedRun } from './run-result.ts';
import { isGood } from './run-result.ts';
import type { PromiseName } from './verdict.ts';

const PROMISES: Readonly<Record<PromiseName, string>> = {
  'evidence-complete': 'every node showed its tree and its hash',
  'enough-messages': 'enough messages were answered to judge by',
  'covered-on-every-node': 'every covered message is on all three nodes, byte for byte',
  'uncovered-kept': 'every other answered message is there too, or in salvage by name',
  'answered-exists': 'no answered message is gone',
  'coverage-floor': 'at least 80 % of the answered messages were covered at each kill',
  'switchover-lossless': 'the planned move lost nothing',
  'tree-hash-equal': 'all nodes report the same tree hash',
  'trees-equal': 'the trees, walked file by file, are equal',
  'one-service': 'never two services at once',
  'sampler-awake': 'the witness of that never looked away for 100 ms',
};

const MIB = 1024 * 1024;
const COLUMN_GAP = '  ';
const INDENT = '  ';

/** The promises in the order in which they are told, with what each says. */
export function promises(): [PromiseName, string][] {
  return Object.entries(PROMISES) as [PromiseName, string][];
}

export function reportText(result: RunResult): string {
  const lines = result.kind === 'judged' ? judgedLines(result) : unfinishedLines(result);
  return `${lines.join('\n')}\n`;
}

function judgedLines(run: JudgedRun): string[] {
  return [
    '',
    'Who ran the service, as /proc shows it',
    ...servedLines(run),
    '',
    ...eventLines(run),
    '',
    ...figureLines(run),
    '',
    'Proof',
    ...proofLines(run),
    ...run.complaints.map((complaint) => `  BROKEN  ${complaint.replaceAll('\n', '\n          ')}`),
    '',
    `${isGood(run) ? 'PASSED' : 'FAILED'} in ${seconds(run.tookMs)} s`,
  ];
}

function servedLines({ served, tookMs }: JudgedRun): string[] {
  const rows = served.map(({ node, startMs, endMs }) => {
    const end = endMs < tookMs ? `${seconds(endMs)} s` : 'the end';
    return [`${INDENT}${node}`, `from ${seconds(startMs).padStart(5)} s`, `to ${end.padStart(7)}`];
  });
  return table(rows, []);
}

function eventLines({ events }: JudgedRun): string[] {
  const head = ['Events', 'at', 'outage', 'answered', 'covered', 'not yet'];
  const rows = events.map(({ what, atMs, outageMs, figures }) => [
    `${INDENT}${what}`,
    `${seconds(atMs)} s`,
    outageMs === undefined ? 'no end' : `${seconds(outageMs, 2)} s`,
    ...(figures === undefined
      ? []
      : [figures.answered, figures.covered, figures.uncovered].map(grouped)),
  ]);
  return table([head, ...rows], ['left', 'right', 'right', 'right', 'right', 'right']);
}

function figureLines({ verdict, mail, lag, barriers, failedBarriers }: JudgedRun): string[] {
  const { answered, covered, salvaged, samples, longestGapMs } = verdict.figures;
  const rows = [
    ['Mail', `${grouped(answered)} answered, ${mebibytes(mail.bytes)}`],
    ['', `largest ${mebibytes(mail.largestBytes)}; ${mail.unknown} cut off and sent again`],
    ['', `${grouped(covered)} covered by a barrier, ${salvaged} only in salvage`],
    ['Lag', `${latency(lag)}  ${grouped(lag?.count ?? 0)} pairs of message and follower`],
    ['', 'from the name on the primary to the same name on a follower that is up'],
    ['Barriers', `${latency(barriers)}  ${grouped(barriers?.count ?? 0)} answered`],
    ['', `${failedBarriers} failed or without an answer`],
    [
      'Witness',
      `${grouped(samples)} looks at all processes, ${Math.ceil(longestGapMs)} ms apart at most`,
    ],
  ];
  return table(rows, []);
}

function proofLines({ verdict }: JudgedRun): string[] {
  return promises().flatMap(([name, text]) => {
    const broken = verdict.broken.filter(({ promise }) => promise === name);
    if (broken.length === 0) return [`  ok      ${text}`];
    return [`  BROKEN  ${text} [${name}]`, ...broken.map((each) => `          ${each.text}`)];
  });
}

function unfinishedLines({ reason, standings, logTails }: UnfinishedRun): string[] {
  return [
    '',
    `FAILED: ${reason}`,
    ...standings.map((standing) => `  ${standing}`),
    ...logTails.flatMap(({ id, lines }) => [
      '',
      `The last lines of ${id}:`,
      ...lines.map((line) => `  ${line}`),
    ]),
  ];
}

function latency(percentiles: Percentiles | undefined): string {
  if (percentiles === undefined) return 'none measured';
  return `p50 ${milliseconds(percentiles.p50Ms)}  p99 ${milliseconds(percentiles.p99Ms)}`;
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

type Side = 'left' | 'right';

/** Rows with every column as wide as its widest cell; columns stand left unless told. */
function table(rows: readonly (readonly string[])[], sides: readonly Side[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return sides[column] === 'right' ? cell.padStart(width) : cell.padEnd(width);
      })
      .join(COLUMN_GAP)
      .trimEnd(),
  );
}
