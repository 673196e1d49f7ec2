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
    tell(`mailraft: ${messageOf(error)}${codeText(error)}`);
    process.exitCode = exitCodeOf(error);
  }
}

/** What a script or a search can hold on to; wrong usage speaks for itself. */
function codeText(error: unknown): string {
  return isMailraftError(error) && error.code !== 'USAGE' ? ` (${error.code})` : '';
}
