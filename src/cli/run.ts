/** `mailraft run`: the daemon of a node, in the foreground. */

import { type Command, Option } from 'commander';
import { beginSmall } from '../platform/engine-size.ts';
import type { LogLevel } from '../platform/log.ts';
import { needConfigFile, readConfig } from './configuration.ts';
import { ending, example, type GlobalOptions } from './verb.ts';

interface RunOptions {
  readonly logLevel: LogLevel;
  readonly yes?: true;
}

const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export function addRun(program: Command): void {
  program
    .command('run')
    .description('run the daemon of this node in the foreground, with its log on stderr')
    .addOption(
      new Option('--log-level <level>', 'leave out what matters less')
        .choices(LOG_LEVELS)
        .default('info'),
    )
    .option(
      '--yes',
      'found the cluster even where another member has far more files than the origin',
    )
    .addHelpText('after', example('mailraft run --config /etc/mailraft/mailraft.yaml'))
    .action(ending<RunOptions>(runDaemon));
}

async function runDaemon(options: GlobalOptions & RunOptions): Promise<never> {
  // Until it is known what this node is: a witness is to stay small.
  beginSmall();
  const config = await readConfig(needConfigFile(options));
  const [{ makeLogger }, { supervise }] = await Promise.all([
    import('../platform/log.ts'),
    import('./supervise.ts'),
  ]);
  const log = makeLogger(options.logLevel);
  const exitCode = await supervise(log, async () => {
    const { startNode } = await import('../daemon/start-node.ts');
    return await startNode(config, log, { isForced: options.yes === true });
  });
  await log.written();
  // Nothing that is still open may keep a daemon that has ended.
  process.exit(exitCode);
}
