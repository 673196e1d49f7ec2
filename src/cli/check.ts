/** `mailraft check`: is a configuration valid, and what follows from it? */

import type { Command } from 'commander';
import { MailraftError } from '../errors.ts';
import { needConfigFile } from './configuration.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { printJson, printLines, tell } from './output.ts';
import { ending, example, type GlobalOptions } from './verb.ts';

interface CheckOptions {
  readonly standby?: true;
}

export function addCheck(program: Command): void {
  program
    .command('check')
    .description('validate a configuration, show its timings and the worst takeover time')
    .option('--standby', 'is this machine ready to take over? (not in this version)')
    .addHelpText('after', example('mailraft check --config mailraft.yaml'))
    .action(ending<CheckOptions>(runCheck));
}

async function runCheck(options: GlobalOptions & CheckOptions): Promise<ExitCode> {
  if (options.standby) throw new MailraftError('USAGE', '--standby is not in this version');
  const file = needConfigFile(options);
  const [{ checkConfig }, { formatFault }, { describeConfig }] = await Promise.all([
    import('../config/load-config.ts'),
    import('../config/fault.ts'),
    import('../config/describe.ts'),
  ]);
  const { config, faults } = checkConfig(file);
  const isJson = options.output === 'json';
  if (isJson) printJson({ valid: config !== undefined, faults, config });
  if (config === undefined) {
    if (!isJson) for (const fault of faults) tell(formatFault(fault));
    return EXIT.usage;
  }
  if (!isJson) printLines(describeConfig(config));
  return EXIT.done;
}
