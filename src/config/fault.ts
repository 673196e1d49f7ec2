/**
 * What is wrong with a configuration, as a person reads it: where it stands, what
 * was found, what is accepted, and what to do when that does not follow.
 */

export interface Fault {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** For instance `members[1].role`; empty for the file as a whole. */
  readonly key: string;
  readonly found: string;
  readonly accepted: string;
  /** What to do, where that is more than to write what is accepted. */
  readonly advice?: string | undefined;
}

/** The names and numbers that lead from the whole to a part. */
export type KeyPath = readonly (string | number)[];

/** A fault whose line is not looked up yet. */
export interface Finding {
  readonly path: KeyPath;
  readonly found: string;
  readonly accepted: string;
  readonly advice?: string | undefined;
}

const QUOTED_LENGTH_MAX = 80;

export function formatFault({ file, line, key, found, accepted, advice }: Fault): string {
  const place = key === '' ? `${file}:${line}` : `${file}:${line}: ${key}`;
  const remedy = advice === undefined ? '' : `; ${advice}`;
  return `${place}: found ${found}; accepted: ${accepted}${remedy}`;
}

export function formatKey(path: KeyPath): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${printable(step)}`))
    .join('')
    .replace(/^\./, '');
}

/** A value of the file in a few words. */
export function describeValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'a mapping';
  return typeof value === 'string' ? quote(value) : String(value);
}

/** A text in quotes, not longer than fits a line. */
export function quote(text: string): string {
  const isLong = text.length > QUOTED_LENGTH_MAX;
  return JSON.stringify(isLong ? `${text.slice(0, QUOTED_LENGTH_MAX)}...` : text);
}

/** Keys come from the file: nothing in them may disturb the terminal. */
function printable(key: string): string {
  return /^[\w-]{1,64}$/.test(key) ? key : quote(key);
}
