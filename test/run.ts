/**
 * `npm test [-- PATH...]`: runs every test file, or those whose path holds one of the
 * given words; `--unit` leaves out those that want the machine for themselves.
 *
 * Exit 0 when all passed, 1 when one failed (or, with MAILRAFT_TEST=all, was skipped for
 * another reason than that others' transcripts are not there),
 * 2 when the command line is wrong.
 */

import { parseArgs } from 'node:util';
import { ABSENT_CORPUS } from './conformance/corpus.ts';
import { projectRoot } from './lab/project-files.ts';
import { closingLine, fileReport, totalsOf } from './runner/report.ts';
import { type FileRun, FileRunner } from './runner/run-file.ts';
import { choose, findTestFiles, isAlone, type TestFile } from './runner/suites.ts';

/** More at once would make the waiting of one the failure of another. */
const FILES_AT_ONCE = 2;

const runner = new FileRunner();
const runs: FileRun[] = [];

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    runner.stop();
    process.exit(130);
  });
}

process.exitCode = await main();

async function main(): Promise<number> {
  const files = filesOf(process.argv.slice(2));
  if (files === undefined) return 2;
  const [shared, alone] = [files.filter((file) => !isAlone(file)), files.filter(isAlone)];
  await Promise.all(Array.from({ length: FILES_AT_ONCE }, () => work(shared)));
  await work(alone);
  const totals = totalsOf(runs);
  const skips = runs.flatMap(({ outcome }) => outcome.skips);
  // Others' data is no part of the machine, and none of ours to bring along.
  const isOwed = skips.some(({ reason }) => !reason.startsWith(ABSENT_CORPUS));
  const isSkipWrong = process.env['MAILRAFT_TEST'] === 'all' && isOwed;
  if (totals.skipped > 0) {
    print(`\nskipped:${skips.map(skipLine).join('')}`);
  }
  if (isSkipWrong) print('\nMAILRAFT_TEST=all: nothing may be skipped');
  print(`\n${closingLine(totals)}`);
  return totals.failed > 0 || isSkipWrong ? 1 : 0;
}

/** Takes one file after the other, until none is left. */
async function work(files: TestFile[]): Promise<void> {
  for (let file = files.shift(); file !== undefined; file = files.shift()) {
    const run = await runner.run(file.program, file.limitSeconds);
    runs.push(run);
    print(fileReport(file.source, run));
  }
}

function filesOf(args: readonly string[]): readonly TestFile[] | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { unit: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const files = choose(findTestFiles(projectRoot), positionals);
    const wanted = values.unit ? files.filter((file) => !isAlone(file)) : files;
    if (wanted.length > 0) return wanted;
    process.stderr.write(`no test file has "${positionals.join('" or "')}" in its path\n`);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
  }
  return undefined;
}

function skipLine({ name, reason }: { readonly name: string; readonly reason: string }): string {
  return `\n  ${name} (${reason})`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
