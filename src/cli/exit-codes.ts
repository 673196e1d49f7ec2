/**
 * What the command line tells a script by its exit code. Scripts rely on the
 * numbers; each error code has exactly one.
 */

import { type ErrorCode, isMailraftError } from '../errors.ts';

export const EXIT = {
  done: 0,
  conditionNotMet: 1,
  usage: 2,
  noPrimary: 3,
  refused: 4,
  outcomeUnknown: 5,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const EXIT_CODES: Readonly<Record<ErrorCode, ExitCode>> = {
  CONFIG_INVALID: EXIT.usage,
  USAGE: EXIT.usage,
  UNAUTHORIZED: EXIT.usage,
  NOT_LEADER: EXIT.noPrimary,
  NO_QUORUM: EXIT.noPrimary,
  REFUSED: EXIT.refused,
  TIMED_OUT: EXIT.outcomeUnknown,
  PRECONDITION_FAILED: EXIT.conditionNotMet,
  NOT_FOUND: EXIT.conditionNotMet,
  OVERLOADED: EXIT.conditionNotMet,
  FRAME_INVALID: EXIT.conditionNotMet,
  PEER_REFUSED: EXIT.conditionNotMet,
  DATA_INVALID: EXIT.conditionNotMet,
  DATA_DAMAGED: EXIT.conditionNotMet,
  NO_SPACE: EXIT.conditionNotMet,
  STORAGE_FAILED: EXIT.conditionNotMet,
  SERVICE_FAILED: EXIT.conditionNotMet,
  INVARIANT: EXIT.conditionNotMet,
};

/** Whether a node's answer names a code that this version knows. */
export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === 'string' && Object.hasOwn(EXIT_CODES, text);
}

/** The exit code of a verb that ended with `error`. */
export function exitCodeOf(error: unknown): ExitCode {
  return isMailraftError(error) ? EXIT_CODES[error.code] : EXIT.conditionNotMet;
}
