/**
 * The client's machine delivering mail, as a test sees it: what was answered so far,
 * how long the clients heard nothing around an event, and the account at the end.
 */

import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { AnsweredMessage, Ledger, Outage } from '../../src/cli/demo/smtp-ledger.ts';
import { ended } from './machine.ts';
import type { LoadLine, LoadQuestion } from './mail-load-program.ts';
import { CLIENT, type LabNetwork } from './network.ts';
import { SHARED_ADDRESS } from './node-config.ts';
import { builtProgram } from './project-files.ts';
import { type UntilOptions, until } from './until.ts';

export class MailLoad {
  readonly #child: ChildProcess;
  readonly #answered: AnsweredMessage[] = [];
  readonly #asked: ((outage: Outage | undefined) => void)[] = [];
  readonly #linesEnded: Promise<void>;
  #hasBegun = false;
  #account: Omit<Ledger, 'answered'> | undefined;

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error('the load needs a pipe for its output');
    const lines = createInterface({ input: child.stdout });
    this.#linesEnded = new Promise((resolve) => lines.on('close', resolve));
    lines.on('line', (line) => this.#take(JSON.parse(line) as LoadLine));
    // It may end while it is being asked; what waits for it fails by its own limit.
    child.stdin?.on('error', () => undefined);
  }

  /** Begins to deliver; resolves when the program runs, whether or not anybody answers. */
  static async start(network: LabNetwork): Promise<MailLoad> {
    const program = builtProgram('test/lab/mail-load-program.ts');
    const argv = [process.execPath, program, '--host', SHARED_ADDRESS];
    const load = new MailLoad(network.exec(CLIENT, argv, { stdio: ['pipe', 'pipe', 'inherit'] }));
    await until('the load begins', () => load.#hasBegun);
    return load;
  }

  /** Every message that was answered 250 so far, in the order of the answers. */
  get answered(): readonly AnsweredMessage[] {
    return this.#answered;
  }

  /** Resolves when that many more messages were answered. */
  async more(count: number, options: UntilOptions = {}): Promise<void> {
    const goal = this.#answered.length + count;
    const flows = () => this.#answered.length >= goal;
    await until(`${count} more mails are answered`, flows, { timeoutMs: 30_000, ...options });
  }

  /** The silence around an event; undefined while it lasts. */
  outage(eventAtMs: number): Promise<Outage | undefined> {
    const question: LoadQuestion = { outageAtMs: eventAtMs };
    return new Promise((resolve) => {
      this.#asked.push(resolve);
      this.#child.stdin?.write(`${JSON.stringify(question)}\n`);
    });
  }

  /** Ends the load and returns the whole account. */
  async stop(): Promise<Ledger> {
    this.#child.stdin?.end();
    await Promise.all([ended(this.#child), this.#linesEnded]);
    if (this.#account === undefined) throw new Error('the load ended without its account');
    return { ...this.#account, answered: this.#answered };
  }

  #take(line: LoadLine): void {
    switch (line.line) {
      case 'begun':
        this.#hasBegun = true;
        break;
      case 'answered':
        this.#answered.push(line.message);
        break;
      case 'outage':
        this.#asked.shift()?.(line.outage ?? undefined);
        break;
      case 'end':
        this.#account = line.account;
        break;
    }
  }
}
