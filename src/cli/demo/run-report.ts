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
  const rows = served.map(({ node, startMs, endMs }) => [
    node,
    seconds(startMs),
    '-',
    Number.isFinite(endMs) && endMs < tookMs ? seconds(endMs) : 'end',
    's',
  ]);
  return table(rows, ['left', 'right', 'left', 'right', 'left']);
}

function eventLines({ events }: JudgedRun): string[] {
  const rows = events.map(({ what, atMs, outageMs, figures }) => [
    what,
    `${seconds(atMs)} s`,
    outageMs === undefined ? '?' : `${seconds(outageMs, 2)} s`,
    ...(figures === undefined
      ? ['', '', '']
      : [figures.answered, figures.covered, figures.uncovered].map(grouped)),
  ]);
  const head = ['Event', 'at', 'outage', 'answered', 'covered', 'not yet'];
  const [first = '', ...lines] = table(
    [head, ...rows],
    ['left', 'right', 'right', 'right', 'right', 'right'],
  );
  return [first.trimStart().padStart(first.length - COLUMN_GAP.length), ...lines];
}

function figureLines({ verdict, mail, lag, barriers, failedBarriers }: JudgedRun): string[] {
  const { answered, covered, salvaged, samples, longestGapMs } = verdict.figures;
  const bytes = `${(mail.bytes / MIB).toFixed(1)} MiB, the largest ${(mail.largestBytes / MIB).toFixed(1)} MiB`;
  const barrierCount = `${grouped(barriers?.count ?? 0)} answered, ${failedBarriers} failed`;
  return [
    ...table([
      ['Mail', `${grouped(answered)} answered (${bytes}), ${mail.unknown} cut off and sent again`],
      ['', `${grouped(covered)} covered by a barrier, ${salvaged} only in salvage`],
      ['Lag', `${latency(lag)}  renamed on the primary until visible on a follower`],
      ['', `${grouped(lag?.count ?? 0)} pairs of message and follower, while the follower is up`],
      ['Barriers', `${latency(barriers)}  ${barrierCount}`],
      [
        'Witness',
        `${grouped(samples)} looks at all processes, longest gap ${Math.ceil(longestGapMs)} ms`,
      ],
    ]).map((line) => line.slice(COLUMN_GAP.length)),
  ];
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

/** Rows with columns as wide as their widest cell, set in by a gap. */
function table(
  rows: readonly (readonly string[])[],
  sides: readonly ('left' | 'right')[] = [],
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return sides[column] === 'right' ? cell.padStart(width) : cell.padEnd(width);
    });
    return `${COLUMN_GAP}${cells.join(COLUMN_GAP)}`.trimEnd();
  });
}
