/**
 * `npm run conformance -- DIR... [--json]`: runs every transcript below the directories,
 * of whatever kind. Exit 0 when all pass, 1 when one fails, 2 when the command line is
 * wrong or there is nothing to run.
 */

import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { transcriptsBelow } from './corpus.ts';
import { type Failure, runTranscript, type TranscriptRun } from './run-transcript.ts';

interface FileRun extends TranscriptRun {
  readonly file: string;
}

process.exitCode = main(process.argv.slice(2));

function main(args: readonly string[]): number {
  const asked = readArguments(args);
  if (typeof asked === 'string') {
    process.stderr.write(`${asked}\nusage: npm run conformance -- DIR... [--json]\n`);
    return 2;
  }
  const files = asked.folders.flatMap(transcriptsBelow);
  if (files.length === 0) {
    process.stderr.write(`there is no transcript below ${asked.folders.join(', ')}\n`);
    return 2;
  }
  const runs = files.map(
    ({ path, text }): FileRun => ({ file: nameOf(path), ...runTranscript(text) }),
  );
  print(...(asked.isJson ? runs.map(jsonOf) : runs.flatMap(linesOf)));
  const failed = runs.filter(({ failures }) => failures.length > 0).length;
  const [passed, cases] = [runs.length - failed, runs.reduce((sum, run) => sum + run.cases, 0)];
  if (asked.isJson) print(JSON.stringify({ transcripts: runs.length, cases, passed, failed }));
  else print(`${runs.length} transcripts, ${cases} cases: ${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

/** What is asked for, or what is wrong with it. */
function readArguments(
  args: readonly string[],
): { folders: readonly string[]; isJson: boolean } | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { json: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    if (positionals.length === 0) return 'no directory is named';
    const missing = positionals.filter((folder) => !existsSync(folder));
    if (missing.length > 0) return `there is no ${missing.join(', ')}`;
    return { folders: positionals, isJson: values.json };
  } catch (error) {
    return (error as Error).message;
  }
}

function nameOf(path: string): string {
  const below = relative('.', path);
  return below.startsWith('..') ? path : below;
}

function jsonOf({ file, kind, cases, failures }: FileRun): string {
  return JSON.stringify({ file, kind, cases, passed: failures.length === 0, failures });
}

function linesOf({ file, failures }: FileRun): readonly string[] {
  return failures.flatMap((failure) => failureLines(file, failure));
}

function failureLines(
  file: string,
  { line, directive, expected, got }: Failure,
): readonly string[] {
  return [
    `${file}:${line}: ${directive}`,
    `  expected: ${expected ?? '(nothing more)'}`,
    `  got:      ${got ?? '(nothing more)'}`,
  ];
}

function print(...lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}
