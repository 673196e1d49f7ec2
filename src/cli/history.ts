/** `mailraft history`: who was primary when, why it changed, and how long each phase took. */

import type { Command } from 'commander';
import type { HistoryEntry } from '../net/http/node-port.ts';
import { readHistory } from './answers.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { NodeClient } from './http-client.ts';
import { findTarget } from './node-target.ts';
import { oneLine, type Paint, printJson, printLines, stdoutPaint } from './output.ts';
import { durationText } from './quantities.ts';
import { tableLines } from './table.ts';
import { ending, example, type GlobalOptions, wholeNumber } from './verb.ts';

interface HistoryOptions {
  readonly limit: number;
}

const LIMIT = 20;
const LIMIT_MAX = 100_000;
const TITLES = ['EPOCH', 'AT', 'EVENT', 'FROM', 'TO', 'CAUSE', 'PHASES'];

export function addHistory(program: Command): void {
  program
    .command('history')
    .description('list the changes of the primary with cause and phases, the latest last')
    .option('--limit <count>', 'show so many of the latest', wholeNumber(1, LIMIT_MAX), LIMIT)
    .addHelpText('after', example('mailraft history --limit 5'))
    .action(ending<HistoryOptions>(runHistory));
}

async function runHistory(options: GlobalOptions & HistoryOptions): Promise<ExitCode> {
  const client = new NodeClient(await findTarget(options));
  const entries = readHistory(await client.get('history')).slice(-options.limit);
  if (options.output === 'json') printJson(entries);
  else printLines(historyLines(entries, stdoutPaint()));
  return EXIT.done;
}

function historyLines(entries: readonly HistoryEntry[], paint: Paint): readonly string[] {
  if (entries.length === 0) return ['no member has been primary yet'];
  return tableLines([TITLES.map((title) => paint('bold', title)), ...entries.map(rowOf)]);
}

function rowOf({ epoch, at, event, from, to, cause, phases }: HistoryEntry): readonly string[] {
  const lasted = phases.map(({ name, ms }) => `${name} ${durationText(ms)}`).join(', ');
  return [String(epoch), at, event, from || '-', to || '-', oneLine(cause) || '-', lasted || '-'];
}
