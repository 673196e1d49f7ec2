/**
 * Verbs that this version does not have, but whose names are taken: whoever tries
 * one learns that, instead of being told that there is no such verb.
 */

import type { Command } from 'commander';
import { MailraftError } from '../errors.ts';

const LATER = [
  'init',
  'token',
  'join',
  'failover',
  'pause',
  'resume',
  'verify',
  'salvage',
  'rewind',
  'explain',
  'dr',
  'support',
  'fence',
];

export function addLaterVerbs(program: Command): void {
  for (const name of LATER) {
    program
      .command(name, { hidden: true })
      // Whatever stands behind the verb, the answer is the same.
      .helpOption(false)
      .allowUnknownOption()
      .allowExcessArguments()
      .action(() => {
        throw new MailraftError('USAGE', `${JSON.stringify(name)} is not in this version`);
      });
  }
  program.addHelpText('after', `\nNot in this version: ${LATER.join(', ')}.`);
}
