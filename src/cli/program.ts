/** The command line as a whole: its name, its options, its verbs. */

import { Command } from 'commander';
import { productVersion } from '../platform/version.ts';
import { addBarrier } from './barrier.ts';
import { addCheck } from './check.ts';
import { addDemo } from './demo.ts';
import { addHistory } from './history.ts';
import { addLaterVerbs } from './later-verbs.ts';
import { addMember } from './member.ts';
import { addRun } from './run.ts';
import { addStatus } from './status.ts';
import { addSwitchover } from './switchover.ts';
import { addGlobalOptions, example } from './verb.ts';

const EXIT_CODES_TEXT = `
Exit codes:
  0  done
  1  condition not met
  2  wrong usage or configuration
  3  no primary, no quorum, or no node answers
  4  refused by a safety check
  5  timed out, outcome unknown`;

export function makeProgram(): Command {
  const program = new Command('mailraft')
    .description('Keeps a mail server alive on three or more ordinary machines.')
    .version(productVersion(), '--version', 'print the version')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, 'mailraft: ')),
    })
    .showHelpAfterError('see mailraft --help')
    // Ending the process is left to the caller, who knows the exit codes.
    .exitOverride();
  addGlobalOptions(program);
  // Verbs take over what was configured until here.
  addRun(program);
  addDemo(program);
  addCheck(program);
  addStatus(program);
  addSwitchover(program);
  addMember(program);
  addBarrier(program);
  addHistory(program);
  program.addHelpText('after', example('mailraft status --url http://127.0.0.1:7480'));
  program.addHelpText('after', EXIT_CODES_TEXT);
  addLaterVerbs(program);
  return program;
}
