/**
 * The service driver `command`: a program that runs in the foreground.
 *
 * ```
 * guardian ─ unshare ─ sh (first process of the namespace) ─ the service ─ ...
 * ```
 * The first process of a pid namespace gets no signal that it did not ask for, so
 * the service is its child: SIGTERM then does what it does everywhere. When the
 * service ends, so does the shell, and with it all that the service left behind.
 *
 * Nothing runs unseen: the shell waits for a word before it starts the service, and
 * gets it once its processes are known, written down (`onStarting`), and certain to
 * end with the guardian. Without the word it ends.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { getPriority, setPriority } from 'node:os';
import type { Duplex, Readable } from 'node:stream';
import { messageOf } from '../../errors.ts';
import {
  findChild,
  findProcess,
  isAlive,
  type ProcessIdentity,
  sendSignal,
  signalProcess,
} from '../../platform/linux/processes.ts';
import { forEachLine } from './output-lines.ts';
import type { Protection } from './protection.ts';
import type { ServiceDriver, ServiceEvents } from './service-driver.ts';

export interface CommandSettings {
  readonly node: string;
  readonly argv: readonly string[];
  readonly protection: Protection;
  /** Writes down which processes are about to become the service. */
  onStarting(processes: readonly ProcessIdentity[]): Promise<void>;
}

/** `read` fails when the guardian is gone: then the service must not begin. */
const GATE = 'echo >&3 && read -r _ <&3 || exit 125; exec 3>&-';
// More than one command, or the shell would become the service instead of waiting for it.
const FIRST_PROCESS = `${GATE}; "$@"; exit $?`;
const SERVICE_ITSELF = `${GATE}; exec "$@"`;

/** Niceness of an ordinary program; the guardian's own is better and is not for the service. */
const ORDINARY_PRIORITY = 0;

interface Run {
  readonly child: ChildProcess;
  readonly gate: Duplex;
  /** The child that the guardian started; leads a process group. */
  readonly launched: ProcessIdentity | undefined;
  /** First process of the namespace; without one the service itself. */
  first: ProcessIdentity | undefined;
  service: ProcessIdentity | undefined;
  isOpen: boolean;
  /** How the launched child ended. */
  ended: string | undefined;
}

export class CommandDriver implements ServiceDriver {
  readonly #settings: CommandSettings;
  readonly #events: ServiceEvents;
  #run: Run | undefined;

  constructor(settings: CommandSettings, events: ServiceEvents) {
    this.#settings = settings;
    this.#events = events;
  }

  get state(): ServiceDriver['state'] {
    if (this.#run === undefined) return 'stopped';
    return this.#run.service === undefined ? 'starting' : 'running';
  }

  get pid(): number | undefined {
    return this.#run?.service?.pid;
  }

  get processes(): readonly ProcessIdentity[] {
    const run = this.#run;
    if (run === undefined) return [];
    return [run.launched, run.first].filter((process) => process !== undefined);
  }

  start(epoch: number): void {
    if (this.#run !== undefined) return;
    const { protection, argv } = this.#settings;
    const script = protection.kind === 'weak' ? SERVICE_ITSELF : FIRST_PROCESS;
    const [program = '', ...rest] = [...protection.launcher, 'sh', '-c', script, 'sh', ...argv];
    const child = spawn(program, rest, {
      env: this.#environment(epoch),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    const gate = child.stdio[3] as Duplex;
    const launched = child.pid === undefined ? undefined : findProcess(child.pid);
    const none = { first: undefined, service: undefined, ended: undefined, isOpen: false };
    const run: Run = { child, gate, launched, ...none };
    this.#run = run;
    child.on('error', (error) => this.#ended(run, messageOf(error)));
    child.on('exit', (code, signal) => {
      this.#ended(run, signal === null ? `with exit code ${code}` : `by ${signal}`);
    });
    // Nobody at the other end any more: the end of the child tells.
    gate.on('error', () => gate.destroy());
    gate.once('data', () => void this.#open(run));
    for (const output of [child.stdout, child.stderr] as Readable[]) {
      forEachLine(output, (line) => this.#events.onLine(line));
    }
    this.#events.onChange();
  }

  terminate(): void {
    const run = this.#run;
    if (run === undefined) return;
    // What has not begun needs no time to end.
    if (run.service === undefined || !isAlive(run.service)) this.kill();
    else sendSignal(run.service.pid, 'SIGTERM');
  }

  kill(): void {
    const run = this.#run;
    if (run === undefined) return;
    run.gate.destroy();
    // The child is not waited for yet, so its group is still its own.
    if (run.ended === undefined && run.child.pid !== undefined) {
      sendSignal(-run.child.pid, 'SIGKILL');
    }
    if (run.first !== undefined) signalProcess(run.first, 'SIGKILL');
  }

  look(): void {
    const run = this.#run;
    if (run === undefined) return;
    if (run.ended !== undefined) {
      this.#finish(run, run.ended);
      return;
    }
    if (run.isOpen && run.service === undefined) this.#findService(run);
  }

  /** The shell waits: what it is is written down, then it may begin. */
  async #open(run: Run): Promise<void> {
    const { protection } = this.#settings;
    if (run.launched !== undefined && run.ended === undefined) {
      run.first = protection.kind === 'weak' ? run.launched : findChild(run.launched.pid);
    }
    if (run.first === undefined) {
      this.kill();
      return;
    }
    this.#events.onChange();
    try {
      if (getPriority() < ORDINARY_PRIORITY) setPriority(run.first.pid, ORDINARY_PRIORITY);
      await this.#settings.onStarting(this.processes);
    } catch (error) {
      this.#events.onLine(`the service is not started: ${messageOf(error)}`);
      this.kill();
      return;
    }
    if (run !== this.#run || run.gate.destroyed) return;
    run.gate.end('\n');
    run.isOpen = true;
    this.look();
  }

  #findService(run: Run): void {
    if (run.first === undefined) return;
    run.service = this.#settings.protection.kind === 'weak' ? run.first : findChild(run.first.pid);
    if (run.service !== undefined) this.#events.onChange();
  }

  #ended(run: Run, how: string): void {
    if (run.ended !== undefined) return;
    run.ended = how;
    run.gate.destroy();
    // What it left in its group; without a namespace nothing else finds it.
    if (run.child.pid !== undefined) sendSignal(-run.child.pid, 'SIGKILL');
    this.#finish(run, how);
  }

  /** The launched child ended; the namespace may outlive it for a moment. */
  #finish(run: Run, how: string): void {
    if (run !== this.#run) return;
    if (run.first !== undefined && signalProcess(run.first, 'SIGKILL')) return;
    this.#run = undefined;
    this.#events.onEnded(how);
  }

  #environment(epoch: number): NodeJS.ProcessEnv {
    const {
      PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME,
      LANG,
    } = process.env;
    const own = { MAILRAFT_NODE: this.#settings.node, MAILRAFT_EPOCH: `${epoch}` };
    return { PATH, HOME: HOME ?? '/', LANG: LANG ?? 'C.UTF-8', ...own };
  }
}
