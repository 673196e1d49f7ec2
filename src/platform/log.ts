/**
 * The log of a process: one JSON object a line on stderr. Writing never waits for
 * the reader, so that a stuck one can not hold up the lease; what it does not take
 * is dropped beyond a limit, and what is left at exit is written then.
 */

import { pino } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type LogFields = Readonly<Record<string, unknown>>;

/** What the system tells people who read logs; `fields` are for machines. */
export interface Logger {
  debug(fields: LogFields, text: string): void;
  info(fields: LogFields, text: string): void;
  warn(fields: LogFields, text: string): void;
  error(fields: LogFields, text: string): void;
}

const STDERR = 2;
const WAITING_BYTES_MAX = 4 * 1024 * 1024;

/** A log on stderr that drops what is below `level`. */
export function makeLogger(level: LogLevel): Logger {
  return pino(
    {
      level,
      base: { pid: process.pid },
      messageKey: 'text',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
    },
    pino.destination({ dest: STDERR, sync: false, maxLength: WAITING_BYTES_MAX }),
  );
}
