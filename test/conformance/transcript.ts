/**
 * The grammar of transcripts: cases of a directive, its input and what it printed.
 *
 * ```
 * # a comment, before a directive
 * directive argument key=value key=(value, value) \
 *   and on the next line
 * lines of input
 * ----
 * what it printed, up to the first blank line
 * ```
 *
 * Where what was printed holds blank lines, it stands between two lines `----` and two
 * more. A `subtest` directive has neither input nor output.
 */

/** One argument of a directive; `values` is empty for a bare word. */
export interface Argument {
  readonly key: string;
  readonly values: readonly string[];
}

export interface Case {
  /** Line of the directive, from 1. */
  readonly line: number;
  /** The directive's line as it stands there. */
  readonly text: string;
  readonly verb: string;
  readonly args: readonly Argument[];
  readonly input: string;
  readonly expected: readonly string[];
}

/** A line that is no directive by the grammar. */
export class GrammarError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

const SEPARATOR = '----';

/** Whether a text holds cases at all. */
export function isTranscript(text: string): boolean {
  return linesOf(text).includes(SEPARATOR);
}

/** The cases of a transcript. Throws `GrammarError`. */
export function parseTranscript(text: string): readonly Case[] {
  const reader = new LineReader(linesOf(text));
  const cases: Case[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    const first = next.trim();
    if (first === '' || first.startsWith('#')) continue;
    const line = reader.line;
    const directive = wholeDirective(reader, first);
    const { verb, args } = parseDirective(directive, line);
    const hasBody = verb !== 'subtest';
    const { input, isClosed } = hasBody ? readInput(reader) : { input: '', isClosed: false };
    const expected = isClosed ? readExpected(reader) : [];
    cases.push({ line, text: directive, verb, args, input, expected });
  }
  return cases;
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

class LineReader {
  readonly #lines: readonly string[];
  #at = 0;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  /** Number of the line read last, from 1. */
  get line(): number {
    return this.#at;
  }

  next(): string | undefined {
    const line = this.#lines[this.#at];
    if (line !== undefined) this.#at += 1;
    return line;
  }
}

/** Joins the lines that a backslash at the end continues. */
function wholeDirective(reader: LineReader, first: string): string {
  let text = first;
  while (text.endsWith('\\')) {
    const next = reader.next();
    if (next === undefined) break;
    text = `${text.slice(0, -1)} ${next.trim()}`;
  }
  return text;
}

function readInput(reader: LineReader): { input: string; isClosed: boolean } {
  const lines: string[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    if (next === SEPARATOR) return { input: lines.join('\n').trim(), isClosed: true };
    lines.push(next);
  }
  return { input: lines.join('\n').trim(), isClosed: false };
}

function readExpected(reader: LineReader): readonly string[] {
  const first = reader.next();
  if (first === SEPARATOR) return readFenced(reader);
  const lines: string[] = [];
  for (let next = first; next !== undefined && next.trim() !== ''; next = reader.next()) {
    lines.push(next);
  }
  return lines;
}

/** Up to two separators in a row. */
function readFenced(reader: LineReader): readonly string[] {
  const lines: string[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    if (next === SEPARATOR) {
      const after = reader.next();
      if (after === SEPARATOR || after === undefined) return lines;
      lines.push(next, after);
    } else {
      lines.push(next);
    }
  }
  return lines;
}

/** Verb and arguments of a directive. Throws `GrammarError`. */
export function parseDirective(text: string, line: number): Pick<Case, 'verb' | 'args'> {
  const [verb = ''] = /^\S+/.exec(text) ?? [];
  const args: Argument[] = [];
  let rest = text.slice(verb.length).trim();
  while (rest !== '') {
    const [key = ''] = /^[^ =]*/.exec(rest) ?? [];
    if (key === '') throw new GrammarError(line, `an argument has no name: ${rest}`);
    rest = rest.slice(key.length);
    let values: readonly string[] = [];
    if (rest.startsWith('=')) ({ values, rest } = takeValues(rest.slice(1), line));
    args.push({ key, values });
    rest = rest.trim();
  }
  return { verb, args };
}

/** The values at the head of `text`: one word, or a list in parentheses, which may nest. */
function takeValues(text: string, line: number): { values: readonly string[]; rest: string } {
  if (!text.startsWith('(')) {
    const [word = ''] = /^[^ ]*/.exec(text) ?? [];
    return { values: [word], rest: text.slice(word.length) };
  }
  const values: string[] = [];
  let [depth, begin] = [0, 1];
  for (let at = 1; at < text.length; at += 1) {
    const char = text[at];
    if (char === '(') depth += 1;
    else if (char === ')' && depth > 0) depth -= 1;
    else if (depth === 0 && (char === ',' || char === ')')) {
      values.push(text.slice(begin, at).trim());
      begin = at + 1;
      if (char === ')') return { values, rest: text.slice(begin) };
    }
  }
  throw new GrammarError(line, `a parenthesis is not closed: ${text}`);
}
