/**
 * The observer as a test sees it: started on the switch, followed by its
 * events, stopped for its report.
 */

import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ended, type Machine } from './machine.ts';
import { BRIDGE, BRIDGE_MAC, type LabNetwork, OBSERVER_ADDRESSES } from './network.ts';
import {
  GAP_MS_MAX,
  type ObserverEvent,
  type ObserverSummary,
  PROGRESS_SAMPLES,
  type Violation,
} from './observer/report.ts';
import { builtProgram } from './project-files.ts';

export interface ObserverClientOptions {
  /** The shared address, for instance 10.77.0.100. */
  readonly address: string;
  /** In the name or the script of every service process. */
  readonly marker: string;
}

/** What the observer holds to be true now. */
export interface ObserverView {
  /** Machines that answer for the shared address. */
  readonly holders: ReadonlySet<string>;
  /** Machines on which the service runs. */
  readonly services: ReadonlySet<string>;
  /** Machines whose processes are watched. */
  readonly machines: ReadonlySet<string>;
  /** How often who announced the address. */
  readonly announcements: ReadonlyMap<string, number>;
  readonly violations: readonly Violation['violation'][];
  readonly samples: number;
  readonly events: readonly ObserverEvent[];
}

export interface ObserverReport {
  readonly summary: ObserverSummary;
  readonly violations: readonly Violation[];
  readonly exitCode: number | null;
}

/** Why a run did not pass, in words; nothing when it did. A void run proves nothing. */
export function objectionsTo({ summary, violations }: ObserverReport): readonly string[] {
  const { samples, longestGapMs, arpDropped, doubleService, doubleAddress } = summary;
  const objections = violations.map(
    ({ violation, fromMs, toMs, who }) =>
      `${violation} of ${who.join(' and ')} for ${Math.round(toMs - fromMs)} ms`,
  );
  if (doubleService > 0) objections.push(`${doubleService} samples saw two services`);
  if (doubleAddress > 0) objections.push(`${doubleAddress} requests had two answers`);
  if (summary.void) {
    const gap = `longest gap ${Math.round(longestGapMs)} ms of at most ${GAP_MS_MAX}`;
    objections.push(`void: ${samples} samples, ${gap}, ${arpDropped} frames lost`);
  }
  return objections;
}

interface Waiter {
  readonly isMet: () => boolean;
  readonly resolve: () => void;
}

// Garbage is collected by the thread that samples, so that no other thread, with
// its lesser priority, is waited for.
const NODE_FLAGS = ['--single-threaded-gc', '--max-semi-space-size=16'];

export class ObserverClient {
  readonly #child: ChildProcess;
  readonly #holders = new Set<string>();
  readonly #services = new Set<string>();
  readonly #machines = new Set<string>();
  readonly #announcements = new Map<string, number>();
  readonly #violations: Violation['violation'][] = [];
  readonly #episodes: Violation[] = [];
  readonly #events: ObserverEvent[] = [];
  readonly #waiters = new Set<Waiter>();
  readonly #linesEnded: Promise<void>;
  #samples = 0;
  #isReady = false;
  #isStopping = false;
  #complaint = '';
  #summary: ObserverSummary | undefined;

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error('the observer needs a pipe for its output');
    const lines = createInterface({ input: child.stdout });
    this.#linesEnded = new Promise((resolve) => lines.on('close', resolve));
    lines.on('line', (line) => this.#take(JSON.parse(line)));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint += text;
    });
    // It may be killed while a machine is being reported to it.
    child.stdin?.on('error', () => undefined);
    child.on('exit', () => this.#wake());
  }

  /** Starts the observer; resolves once it samples and knows every machine. */
  static async start(network: LabNetwork, options: ObserverClientOptions): Promise<ObserverClient> {
    const program = builtProgram('test/lab/observer/main.ts');
    const place = ['--bridge', BRIDGE, '--bridge-mac', BRIDGE_MAC];
    const subject = ['--address', options.address, '--marker', options.marker];
    const child = network.execOnSwitch(
      [process.execPath, ...NODE_FLAGS, program, ...place, ...subject].concat(
        ...['--ask-from', OBSERVER_ADDRESSES],
      ),
    );
    const client = new ObserverClient(child);
    await client.until('the observer is ready', () => client.#isReady);
    network.onBoot((machine) => client.#follow(machine));
    for (const name of network.machines) await client.#follow(network.machine(name));
    return client;
  }

  /** The observer's own process, for a test that stops it. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get view(): ObserverView {
    return {
      holders: this.#holders,
      services: this.#services,
      machines: this.#machines,
      announcements: this.#announcements,
      violations: this.#violations,
      samples: this.#samples,
      events: this.#events,
    };
  }

  /** Resolves at the event that makes `isMet` true; fails when that takes too long. */
  async until(
    what: string,
    isMet: (view: ObserverView) => boolean,
    timeoutMs = 10_000,
  ): Promise<void> {
    const look = () => isMet(this.view);
    if (look()) return;
    await new Promise<void>((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        settle();
      };
      const fail = (reason: string) => () => reject(new Error(`${what}: ${reason}`));
      const waiter: Waiter = {
        isMet: () => look() || this.#hasEnded,
        resolve: () => finish(look() ? resolve : fail(`the observer ended ${this.#complaint}`)),
      };
      const late = fail(`not seen within ${timeoutMs} ms`);
      const timer = setTimeout(() => finish(late), timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  /** Resolves after at least `samples` more samples: time enough to see what is there. */
  async more(samples: number): Promise<void> {
    // The last progress may be almost one report old.
    const goal = this.#samples + PROGRESS_SAMPLES + samples;
    await this.until(`${samples} more samples`, (view) => view.samples >= goal);
  }

  /** Ends the watch and returns what was seen. */
  async stop(): Promise<ObserverReport> {
    this.#isStopping = true;
    this.#child.stdin?.end();
    await Promise.all([ended(this.#child), this.#linesEnded]);
    if (this.#summary === undefined) throw new Error(`no report: ${this.#complaint}`);
    const { exitCode } = this.#child;
    return { summary: this.#summary, violations: this.#episodes, exitCode };
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #follow(machine: Machine): Promise<void> {
    if (this.#hasEnded || this.#isStopping) return;
    this.#machines.delete(machine.name);
    const command = { machine: machine.name, initPid: machine.initPid };
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
    await this.until(`the observer follows ${machine.name}`, (view) =>
      view.machines.has(machine.name),
    );
  }

  #take(line: ObserverEvent | Violation | ObserverSummary): void {
    if ('observer' in line) this.#summary = line;
    else if ('event' in line) this.#apply(line);
    else this.#episodes.push(line);
    this.#wake();
  }

  #apply(event: ObserverEvent): void {
    switch (event.event) {
      case 'ready':
        this.#isReady = true;
        break;
      case 'progress':
        this.#samples = event.samples;
        return;
      case 'machine':
        this.#machines.add(event.machine);
        break;
      case 'holder':
        toggle(this.#holders, event.machine, event.holds);
        break;
      case 'service':
        toggle(this.#services, event.machine, event.runs);
        break;
      case 'announcement': {
        const before = this.#announcements.get(event.machine) ?? 0;
        this.#announcements.set(event.machine, before + 1);
        break;
      }
      case 'violation':
        this.#violations.push(event.violation);
        break;
    }
    this.#events.push(event);
  }

  #wake(): void {
    for (const waiter of this.#waiters) if (waiter.isMet()) waiter.resolve();
  }
}

function toggle(set: Set<string>, name: string, isIn: boolean): void {
  if (isIn) set.add(name);
  else set.delete(name);
}
