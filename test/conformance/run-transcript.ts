/**
 * Runs one transcript: every directive is carried out, and what it prints is compared with
 * what stands there, log lines of the library that wrote it left out on both sides.
 */

import { messageOf } from '../../src/errors.ts';
import { type Kind, kindOf } from './kinds.ts';
import { type Case, GrammarError, parseTranscript } from './transcript.ts';

export interface Failure {
  /** Line of the directive. */
  readonly line: number;
  readonly directive: string;
  /** The first line that differs, as it stands in the transcript; undefined past its end. */
  readonly expected: string | undefined;
  readonly got: string | undefined;
}

export interface TranscriptRun {
  readonly kind: string;
  /** Directives that were carried out. */
  readonly cases: number;
  readonly failures: readonly Failure[];
}

/** What the library told its log in between, at any level. */
const LOG_LINE = /^\s*((DEBUG|INFO|WARN|ERROR|FATAL) |ignoring conf change)/;

export function runTranscript(text: string): TranscriptRun {
  let cases: readonly Case[];
  try {
    cases = parseTranscript(text).filter(({ verb }) => verb !== 'subtest');
  } catch (error) {
    if (!(error instanceof GrammarError)) throw error;
    return unreadable(error.line, error.message);
  }
  const kind = kindOf(cases);
  const [first] = cases;
  if (kind === undefined || first === undefined) {
    return unreadable(first?.line ?? 1, `no kind of transcript has ${first?.verb ?? 'no case'}`);
  }
  return runCases(kind, cases);
}

function unreadable(line: number, why: string): TranscriptRun {
  const failure = { line, directive: '', expected: 'a transcript', got: why };
  return { kind: 'unknown', cases: 0, failures: [failure] };
}

/** Where a case depends on those before it, what follows the first failure means nothing. */
function runCases(kind: Kind, cases: readonly Case[]): TranscriptRun {
  const carryOut = kind.begin();
  const failures: Failure[] = [];
  let count = 0;
  for (const directive of cases) {
    count += 1;
    const failure = failureOf(directive, () => carryOut(directive));
    if (failure !== undefined) failures.push(failure);
    if (failure !== undefined && !kind.isIndependent) break;
  }
  return { kind: kind.name, cases: count, failures };
}

function failureOf(directive: Case, carryOut: () => readonly string[]): Failure | undefined {
  const { line, text } = directive;
  const expected = withoutLog(directive.expected);
  let printed: readonly string[];
  try {
    printed = withoutLog(carryOut());
  } catch (error) {
    return { line, directive: text, expected: expected[0], got: `thrown: ${messageOf(error)}` };
  }
  const length = Math.max(expected.length, printed.length);
  for (let at = 0; at < length; at += 1) {
    const [want, got] = [expected[at], printed[at]];
    if (want?.trimEnd() !== got?.trimEnd()) return { line, directive: text, expected: want, got };
  }
  return undefined;
}

/** Where nothing is left, nothing was printed, which is written "ok". */
function withoutLog(lines: readonly string[]): readonly string[] {
  const left = lines.filter((line) => !LOG_LINE.test(line));
  return left.length === 0 ? ['ok'] : left;
}
