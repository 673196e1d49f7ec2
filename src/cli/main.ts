#!/usr/bin/env node
/** The `mailraft` command: carries out one verb and says by the exit code how it ended. */

import { CommanderError } from 'commander';
import { isMailraftError, messageOf, systemCode } from '../errors.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { tell } from './output.ts';
import { makeProgram } from './program.ts';

// The reader of a pipe may leave when it has seen enough, as `head` does.
process.stdout.on('error', (error) => {
  if (systemCode(error) !== 'EPIPE') throw error;
  process.exit(process.exitCode ?? EXIT.done);
});

try {
  await makeProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // It has said what was wrong, or showed what it was asked to show.
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  } else {
    tell(textOf(error));
    process.exitCode = exitCodeOf(error);
  }
}

function textOf(error: unknown): string {
  const text = messageOf(error);
  // Each fault of a configuration has its line, and begins with its place.
  if (text.includes('\n')) return text;
  // The code is what a script or a search can hold on to; wrong usage speaks for itself.
  const code = isMailraftError(error) && error.code !== 'USAGE' ? ` (${error.code})` : '';
  return `mailraft: ${text}${code}`;
}
