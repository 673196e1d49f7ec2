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

/** The log that a process owns, and ends with. */
export interface ProcessLog extends Logger {
  /** Resolves when all that was logged is written; a reader that is stuck is not waited for. */
  written(): Promise<void>;
}

const STDERR = 2;
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
const WRITTEN_MS_MAX = 1_000;

/** A log on stderr that drops what is below `level`. */
export function makeLogger(level: LogLevel): ProcessLog {
  const logger = pino(
    {
      level,
      base: { pid: process.pid },
      messageKey: 'text',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
    },
    // Every byte is written at once; with a minimum of none, nobody could wait for it.
    pino.destination({ dest: STDERR, sync: false, minLength: 1, maxLength: WAITING_BYTES_MAX }),
  );
  return {
    debug: (fields, text) => logger.debug(fields, text),
    info: (fields, text) => logger.info(fields, text),
    warn: (fields, text) => logger.warn(fields, text),
    error: (fields, text) => logger.error(fields, text),
    written: () =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, WRITTEN_MS_MAX);
        logger.flush(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}
