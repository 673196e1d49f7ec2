/**
 * Every process that the bench starts, so that none outlives it: they are killed by
 * their ids when it ends, however that comes about.
 */

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { MailraftError } from '../../../src/errors.ts';

const started = new Set<ChildProcess>();

/** What is still seen of a process that ended by itself. */
const WORDS_MAX = 2000;

process.on('exit', killAll);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(130));
}

export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** With a channel for messages, as `fork` has it. */
  readonly hasChannel?: boolean;
}

export class RunningProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  #words = '';

  constructor({ file, args, env, hasChannel = false }: Program) {
    const stdio: StdioOptions = [
      'ignore',
      'ignore',
      'pipe',
      ...(hasChannel ? ['ipc' as const] : []),
    ];
    this.child = spawn(file, args, { stdio, ...(env === undefined ? {} : { env }) });
    if (this.child.pid === undefined) {
      // What went wrong is told by an event that nobody needs any more.
      this.child.on('error', () => undefined);
      throw new MailraftError('NOT_FOUND', `${file} can not be started`);
    }
    this.pid = this.child.pid;
    started.add(this.child);
    this.child.once('exit', () => started.delete(this.child));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#words = (this.#words + text).slice(-WORDS_MAX);
    });
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** The end of what it said on stderr. */
  get words(): string {
    return this.#words;
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.hasEnded) this.child.kill(signal);
  }

  async kill(): Promise<void> {
    if (this.hasEnded) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }
}

function killAll(): void {
  for (const child of started) child.kill('SIGKILL');
}
