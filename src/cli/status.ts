/** `mailraft status`: how the cluster does, once or every second. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { isMailraftError, messageOf } from '../errors.ts';
import { readCluster, readStatus } from './answers.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';
import { judgeHealth } from './health.ts';
import { NodeClient } from './http-client.ts';
import { findTarget } from './node-target.ts';
import { plainPaint, printJson, printLine, printLines, stdoutPaint } from './output.ts';
import { type Look, statusLine, statusLines } from './status-view.ts';
import { ending, example, type GlobalOptions } from './verb.ts';

interface StatusOptions {
  readonly watch?: true;
}

const REFRESH_MS = 1000;
/** To the corner, and what stood there before is erased line by line: nothing flickers. */
const HOME = '\x1b[H';
const ERASE_LINE = '\x1b[K';
const ERASE_BELOW = '\x1b[J';
const CLEAR = '\x1b[2J';

export function addStatus(program: Command): void {
  program
    .command('status')
    .description('show members, roles, lag, tenure, address and what waits for somebody')
    .option('--watch', 'look again every second; on a terminal in place, elsewhere a line each')
    .addHelpText(
      'after',
      [
        example('mailraft status --watch'),
        'Exit code: 0 healthy, 1 degraded, 3 no primary or no answer.',
      ].join('\n\n'),
    )
    .action(ending<StatusOptions>(runStatus));
}

async function runStatus(options: GlobalOptions & StatusOptions): Promise<ExitCode> {
  const client = new NodeClient(await findTarget(options));
  if (options.watch) return await watch(client, options.output);
  const look = await lookAt(client);
  if (options.output === 'json') printJson(look);
  else printLines(statusLines(look, stdoutPaint(), Date.now()));
  return look.health.exitCode;
}

async function lookAt(client: NodeClient): Promise<Look> {
  const [status, cluster] = await Promise.all([
    client.get('status').then(readStatus),
    client.get('cluster').then(readCluster),
  ]);
  return { status, cluster, health: judgeHealth(status, cluster) };
}

/** Until it is interrupted; what was seen last is the exit code. */
async function watch(client: NodeClient, output: GlobalOptions['output']): Promise<ExitCode> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupted.abort());
  }
  const show = output === 'json' ? showJson : process.stdout.isTTY ? showScreen : showLine;
  if (show === showScreen) process.stdout.write(CLEAR);
  let exitCode: ExitCode = EXIT.done;
  while (!interrupted.signal.aborted) {
    const seen = await lookAt(client).catch(failureOf);
    if (interrupted.signal.aborted) break;
    exitCode = seen instanceof Error ? exitCodeOf(seen) : seen.health.exitCode;
    show(seen, client.address);
    await delay(REFRESH_MS, undefined, { signal: interrupted.signal }).catch(wakened);
  }
  // What the shell shows next begins its own line.
  if (show === showScreen) printLine('');
  return exitCode;
}

/** Answers that fail are a sight too: the next second may bring another. */
function failureOf(error: unknown): Error {
  if (isMailraftError(error)) return error;
  throw error;
}

function wakened(error: Error): void {
  if (error.name !== 'AbortError') throw error;
}

function showJson(seen: Look | Error): void {
  printJson(seen instanceof Error ? { problem: messageOf(seen) } : seen);
}

function showLine(seen: Look | Error): void {
  const nowMs = Date.now();
  const line =
    seen instanceof Error
      ? `${new Date(nowMs).toISOString()} unknown ${messageOf(seen)}`
      : statusLine(seen, nowMs);
  printLine(line);
}

function showScreen(seen: Look | Error, address: string): void {
  const nowMs = Date.now();
  const paint = process.env['NO_COLOR'] ? plainPaint : stdoutPaint();
  const lines = [
    paint('dim', `${address} at ${new Date(nowMs).toISOString()}, every second, Ctrl-C ends`),
    '',
    ...(seen instanceof Error
      ? [`${paint('red', 'unknown')}: ${messageOf(seen)}`]
      : statusLines(seen, paint, nowMs)),
  ];
  // A line more than the screen has would scroll the first one away.
  const shown = lines.slice(0, (process.stdout.rows ?? lines.length + 1) - 1);
  process.stdout.write(HOME + shown.map((line) => `${line}${ERASE_LINE}\n`).join('') + ERASE_BELOW);
}
