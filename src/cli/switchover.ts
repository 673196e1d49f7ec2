/** `mailraft switchover`: moves the service to another member without losing anything. */

import type { Command } from 'commander';
import { MailraftError } from '../errors.ts';
import type { ClusterReport } from '../net/http/node-port.ts';
import { type OperationView, readCluster, readOperation } from './answers.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { isFit } from './health.ts';
import { NodeClient } from './http-client.ts';
import { findTarget } from './node-target.ts';
import { follow } from './operation.ts';
import { isConfirmed, oneLine, printJson, printLine, printLines, tell } from './output.ts';
import { durationText } from './quantities.ts';
import { tableLines } from './table.ts';
import { ending, example, type GlobalOptions, wholeNumber } from './verb.ts';

interface SwitchoverOptions {
  readonly to?: string;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly timeout: number;
}

const TIMEOUT_SECONDS = 120;
const TIMEOUT_SECONDS_MAX = 86_400;
/** A node answers at once that it begins, but thinks about a dry run. */
const ANSWER_MS = 15_000;

export function addSwitchover(program: Command): void {
  program
    .command('switchover')
    .description('move the service to another member, as planned and without loss')
    .option('--to <id>', 'the member to move to (default: the best one)')
    .option('--dry-run', 'only say what would happen')
    .option('--yes', 'do not ask on a terminal whether this is meant')
    .option(
      '--timeout <seconds>',
      'how long to wait for the end',
      wholeNumber(1, TIMEOUT_SECONDS_MAX),
      TIMEOUT_SECONDS,
    )
    .addHelpText('after', example('mailraft switchover --to mail2 --config mailraft.yaml'))
    .action(ending<SwitchoverOptions>(runSwitchover));
}

async function runSwitchover(options: GlobalOptions & SwitchoverOptions): Promise<ExitCode> {
  const client = new NodeClient(await findTarget(options));
  if (process.stdin.isTTY && !options.yes && !options.dryRun) {
    const question = questionOf(await client.get('cluster').then(readCluster), options.to);
    if (!(await isConfirmed(question))) {
      throw new MailraftError('PRECONDITION_FAILED', 'not confirmed, nothing was done');
    }
  }
  const startedAtMs = performance.now();
  const isText = options.output === 'text';
  const body = options.to === undefined ? {} : { to: options.to };
  const begun = readOperation(
    await client.post(`v1/switchover${options.dryRun ? '?dryRun=true' : ''}`, body, ANSWER_MS),
  );
  if (isText && !options.dryRun) printLine(`operation ${begun.id}`);
  const ended = await follow(client, begun, {
    timeoutMs: options.timeout * 1000,
    onPhase: (name, atMs) => {
      if (isText) printLine(phaseLine(name, atMs));
    },
  });
  if (!isText) printJson(ended);
  else printLines(endLines(ended, performance.now() - startedAtMs, options.dryRun ?? false));
  return EXIT.done;
}

function questionOf({ cluster, primary, members }: ClusterReport, to: string | undefined): string {
  const rows = members.map((member) => [
    `  ${member.id}`,
    member.isPrimary ? 'primary' : isFit(member) ? 'can take over' : 'can not take over',
    oneLine(member.reason ?? ''),
  ]);
  for (const line of tableLines(rows)) tell(line);
  const from = primary === null ? '' : ` from ${primary}`;
  return `move the service of ${cluster}${from} to ${to ?? 'the best member'}?`;
}

function phaseLine(name: string, atMs: number): string {
  return `  +${(atMs / 1000).toFixed(2)} s  ${oneLine(name)}`;
}

function endLines(
  { result }: OperationView,
  totalMs: number,
  isDryRun: boolean,
): readonly string[] {
  const details = resultLines(result);
  return isDryRun ? details : [...details, `done in ${durationText(totalMs)}`];
}

/** The fields of a result that are plain values, a line each. */
function resultLines(result: unknown): readonly string[] {
  if (typeof result === 'string') return [oneLine(result)];
  if (typeof result !== 'object' || result === null) return [];
  const rows = Object.entries(result).map(([name, value]) => [
    `  ${oneLine(name)}`,
    oneLine(typeof value === 'string' ? value : JSON.stringify(value)),
  ]);
  return tableLines(rows);
}
