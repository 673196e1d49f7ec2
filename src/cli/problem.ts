/** From an answer of a node that is not what was asked for to an error: its code, and a message that says what to do. */

import { type ErrorCode, MailraftError } from '../errors.ts';
import { isErrorCode } from './exit-codes.ts';
import { oneLine } from './output.ts';

/** For answers that name no code that is known here: proxies on the way, other versions. */
const CODES_BY_STATUS: ReadonlyMap<number, ErrorCode> = new Map([
  [400, 'USAGE'],
  [401, 'UNAUTHORIZED'],
  [403, 'UNAUTHORIZED'],
  [404, 'NOT_FOUND'],
  [422, 'USAGE'],
  [429, 'OVERLOADED'],
  [503, 'NO_QUORUM'],
  [504, 'TIMED_OUT'],
]);

const HINTS: ReadonlyMap<ErrorCode, string> = new Map([
  [
    'UNAUTHORIZED',
    'name the file of the token with --token-file, or the configuration with --config',
  ],
]);

/** @param asked the call, for messages about answers that say nothing themselves */
export function problemOf(status: number, body: unknown, asked: string): MailraftError {
  const fields = typeof body === 'object' && body !== null ? body : {};
  const named = 'code' in fields ? fields.code : undefined;
  const code = isErrorCode(named) ? named : (CODES_BY_STATUS.get(status) ?? 'PRECONDITION_FAILED');
  const said = textOf(fields) ?? `${asked} was answered with status ${status} and no reason`;
  const hint = HINTS.get(code) ?? operationHint(fields);
  return new MailraftError(code, hint === undefined ? said : `${said}; ${hint}`);
}

function operationHint(fields: object): string | undefined {
  if (!('operation' in fields) || typeof fields.operation !== 'string') return undefined;
  return `this was operation ${oneLine(fields.operation)}`;
}

function textOf(fields: object): string | undefined {
  for (const text of [
    'detail' in fields ? fields.detail : undefined,
    'title' in fields ? fields.title : undefined,
  ]) {
    if (typeof text === 'string' && text !== '') return oneLine(text);
  }
  return undefined;
}
