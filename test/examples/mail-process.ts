/** The real mail server as a process of its own, compiled before the tests run. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { until } from '../support/until.ts';

export interface MailProcessOptions {
  readonly store: string;
  readonly name?: string;
  /** 0, the default, lets the system choose. */
  readonly smtpPort?: number;
  readonly pop3Port?: number;
  /** Goes before `node server.js` on the command line. */
  readonly wrapper?: readonly string[];
  /** A compiled module that is loaded into the server first. */
  readonly preload?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export const projectRoot: string = findProjectRoot();
export const serverProgram: string = compiled('examples/mail/server.js');

export class MailProcess {
  readonly child: ChildProcess;
  readonly store: string;
  stdout = '';
  stderr = '';

  private constructor(store: string, child: ChildProcess) {
    this.store = store;
    this.child = child;
    child.stdout?.on('data', (chunk) => {
      this.stdout += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
    });
  }

  /** Starts a server that ends with the test at the latest; resolves when it is ready. */
  static async start(t: Test, options: MailProcessOptions): Promise<MailProcess> {
    const mail = MailProcess.launch(t, options);
    const isOver = (): boolean => mail.child.exitCode !== null || mail.child.signalCode !== null;
    await until(() => mail.stdout.includes('ready') || isOver(), 'the mail server to be ready');
    if (isOver()) throw new Error(`the mail server ended: ${mail.stderr}`);
    return mail;
  }

  /** Starts a server without waiting for it. */
  static launch(t: Test, options: MailProcessOptions): MailProcess {
    const { store, name = 'test', smtpPort = 0, pop3Port = 0, preload, wrapper = [] } = options;
    const node = [
      process.execPath,
      ...(preload === undefined ? [] : [`--import=${compiled(preload)}`]),
      ...[serverProgram, '--store', store, '--name', name],
      ...['--smtp', `127.0.0.1:${smtpPort}`, '--pop3', `127.0.0.1:${pop3Port}`],
    ];
    const [program = '', ...args] = [...wrapper, ...node];
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // The test runner's own loader has no place in the server.
      env: { PATH: process.env['PATH'], ...options.env },
    });
    const mail = new MailProcess(store, child);
    t.teardown(() => mail.end('SIGKILL'));
    return mail;
  }

  get smtpPort(): number {
    return Number(/smtp=\S+:(\d+)/.exec(this.stdout)?.[1]);
  }

  get pop3Port(): number {
    return Number(/pop3=\S+:(\d+)/.exec(this.stdout)?.[1]);
  }

  /** Sends a signal and waits for the end; returns the exit code, null after a kill. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const { child } = this;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
    return child.exitCode;
  }

  newFiles(): string[] {
    return readdirSync(join(this.store, 'new')).sort();
  }

  unfinishedFiles(): string[] {
    return readdirSync(join(this.store, 'tmp')).sort();
  }
}

function compiled(path: string): string {
  const program = join(projectRoot, 'build', path);
  if (!existsSync(program)) throw new Error(`${program} is missing: npm run build:test`);
  return program;
}

function findProjectRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return directory;
}
