/** `mailraft demo`: three nodes and a small mail service on this machine, to see what happens. */

import { randomInt } from 'node:crypto';
import { type Command, Option } from 'commander';
import { ending, example, type GlobalOptions, wholeNumber } from './verb.ts';

interface DemoVerbOptions {
  readonly script?: true;
  readonly seed?: number;
  readonly json?: true;
  readonly keep?: true;
}

const SEED_MAX = 2 ** 32 - 1;

export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('three nodes with a small real mail service on this machine, without root')
    .option('--script', 'kill and move by a script, prove that nothing was lost, and end')
    .option(
      '--seed <number>',
      'repeat the run of that seed (default: a random one)',
      wholeNumber(0, SEED_MAX),
    )
    .option('--json', 'one JSON object a line, as -o json')
    .option('--keep', 'leave the folders of the nodes behind')
    .addOption(new Option('--nodes <count>', 'how many nodes').choices(['3']).default('3'))
    .addHelpText('after', example('mailraft demo --script --seed 7'))
    .action(ending<DemoVerbOptions>(runDemoVerb));
}

async function runDemoVerb(options: GlobalOptions & DemoVerbOptions): Promise<number> {
  const { runDemo } = await import('./demo/run-demo.ts');
  return await runDemo({
    script: options.script ?? false,
    seed: options.seed ?? randomInt(SEED_MAX),
    json: options.json === true || options.output === 'json',
    keep: options.keep ?? false,
  });
}
