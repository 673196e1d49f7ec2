/**
 * Everything that a verb writes: results on stdout, talk with the person on
 * stderr, so that stdout can be read by a program.
 */

import { styleText } from 'node:util';

export type Colour = 'bold' | 'dim' | 'green' | 'yellow' | 'red';

/** Colours a text, or leaves it as it is where colours are not wanted. */
export type Paint = (colour: Colour, text: string) => string;

/** For pipes, files, and everybody who set NO_COLOR. */
export const plainPaint: Paint = (_colour, text) => text;

/** What stdout takes: colours on a terminal that shows them, unless NO_COLOR is set. */
export function stdoutPaint(): Paint {
  const { stdout } = process;
  return stdout.isTTY && stdout.hasColors()
    ? (colour, text) => styleText(colour, text)
    : plainPaint;
}

export function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function printLines(lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
}

/** One object on one line, so that lines can be read one by one. */
export function printJson(value: unknown): void {
  printLine(JSON.stringify(value));
}

/** A word to the person, apart from the result. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

/**
 * Text that comes from elsewhere (a mail server's greeting, a reason) in a form
 * that can do nothing to the terminal and stays on its line.
 */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ').trim();
}

/** Asks on the terminal; anything but yes means no. */
export async function isConfirmed(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // Without it a closed terminal leaves the question open and the process ends as if all were done.
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([terminal.question(`${question} [y/N] `), closed]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
