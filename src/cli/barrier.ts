/** `mailraft barrier`: returns when everything that was written before it is committed. */

import type { Command } from 'commander';
import { MailraftError } from '../errors.ts';
import { readOperation } from './answers.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { NodeClient } from './http-client.ts';
import { findTarget } from './node-target.ts';
import { follow } from './operation.ts';
import { printJson, printLine } from './output.ts';
import { ending, example, type GlobalOptions, wholeNumber } from './verb.ts';

interface BarrierOptions {
  readonly timeout: number;
}

const TIMEOUT_SECONDS = 60;
const TIMEOUT_SECONDS_MAX = 86_400;
/** How long one call waits for the end before the operation is asked for. */
const WAIT_SECONDS = 10;
const ANSWER_MS = 5_000;

export function addBarrier(program: Command): void {
  program
    .command('barrier')
    .description('wait until all that was written before is committed, then print its index')
    .option(
      '--timeout <seconds>',
      'how long to wait',
      wholeNumber(1, TIMEOUT_SECONDS_MAX),
      TIMEOUT_SECONDS,
    )
    .addHelpText('after', example('mailraft barrier --config mailraft.yaml --timeout 30'))
    .action(ending<BarrierOptions>(runBarrier));
}

async function runBarrier(options: GlobalOptions & BarrierOptions): Promise<ExitCode> {
  const client = new NodeClient(await findTarget(options));
  const startedAtMs = performance.now();
  const timeoutMs = options.timeout * 1000;
  const waitSeconds = Math.min(options.timeout, WAIT_SECONDS);
  const begun = readOperation(
    await client.post(`v1/barrier?wait=${waitSeconds}s`, {}, waitSeconds * 1000 + ANSWER_MS),
  );
  const leftMs = Math.max(0, timeoutMs - (performance.now() - startedAtMs));
  const { result } = await follow(client, begun, { timeoutMs: leftMs });
  const index = indexOf(result);
  if (options.output === 'json') printJson(result);
  else printLine(String(index));
  return EXIT.done;
}

function indexOf(result: unknown): number {
  if (typeof result === 'object' && result !== null && 'index' in result) {
    if (typeof result.index === 'number') return result.index;
  }
  throw new MailraftError('DATA_INVALID', 'the node ended the barrier without naming its index');
}
