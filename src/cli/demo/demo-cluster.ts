/**
 * Three nodes on this machine, each a daemon of its own with its guardian and service.
 *
 * Daemons are started in sessions of their own, so that a Ctrl-C at the terminal is for
 * this program alone to answer. What a daemon started ends with it by itself; `close`
 * sees to that, and nothing of the demo is left behind whatever happened.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assert, MailraftError, systemCode } from '../../errors.ts';
import type { StatusReport } from '../../net/http/node-port.ts';
import {
  configText,
  DEMO_HOST,
  type DemoLayout,
  type DemoNode,
  layoutOf,
  portCount,
  SERVICE_MARKER,
} from './demo-layout.ts';
import {
  type DemoProcess,
  FOLDER_VARIABLE,
  findDemoProcesses,
  signalProcess,
  untilGone,
} from './demo-processes.ts';
import { findFreePorts } from './free-ports.ts';
import { NodeClient } from './node-client.ts';
import { ProcessScan, type ProcessScanOptions } from './process-scan.ts';
import type { RunningService } from './process-timeline.ts';

export interface DemoClusterOptions {
  /** What runs as a daemon, with `run --config FILE`; without it, mailraft itself. */
  readonly program?: string;
  /** Nodes beside the three that found the cluster. */
  readonly others?: readonly string[];
}

/** What `close` could not do as it should. */
export interface CloseReport {
  /** Processes that did not end with their daemon and had to be killed. */
  readonly killed: readonly DemoProcess[];
}

const DAEMON: string = fileURLToPath(new URL('../main.js', import.meta.url));
const SERVER: string = fileURLToPath(new URL(`../../../${SERVICE_MARKER}`, import.meta.url));
const STOP_MS_MAX = 2_500;
/** A guardian whose daemon died serves until the lease ends and no longer. */
const GONE_MS_MAX = 5_000;
const TAIL_BYTES = 4_096;

/** What a daemon gets besides its configuration. */
export interface DaemonExtras {
  readonly options?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export class DemoCluster {
  readonly layout: DemoLayout;
  /** In the order of the nodes. */
  readonly clients: readonly NodeClient[];
  readonly #program: string;
  readonly #daemons: Map<string, ChildProcess> = new Map();
  readonly #ends: Map<string, string> = new Map();
  /** Daemons that were told to end. */
  readonly #dismissed: Set<ChildProcess> = new Set();
  /** Should this program end in the middle by a fault of its own, the daemons end too. */
  readonly #killAll = (): void => {
    for (const daemon of this.#daemons.values()) daemon.kill('SIGKILL');
  };
  #failure: MailraftError | undefined;
  #closed: Promise<CloseReport> | undefined;

  private constructor(layout: DemoLayout, program: string) {
    this.layout = layout;
    this.#program = program;
    process.once('exit', this.#killAll);
    this.clients = layout.nodes.map(
      ({ id, httpPort, tokenFile }) =>
        new NodeClient(id, `http://${DEMO_HOST}:${httpPort}`, tokenFile),
    );
  }

  /** Makes the folder with the three configurations; no daemon runs yet. */
  static async create({
    program = DAEMON,
    others = [],
  }: DemoClusterOptions = {}): Promise<DemoCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'mailraft-demo-'));
    const layout = layoutOf(folder, await findFreePorts(portCount(others.length)), others);
    for (const node of layout.nodes) {
      await mkdir(node.volume, { recursive: true });
      await mkdir(node.dataDir);
      await writeFile(node.configFile, configText(layout, node, SERVER));
    }
    return new DemoCluster(layout, program);
  }

  get ids(): readonly string[] {
    return this.layout.nodes.map(({ id }) => id);
  }

  /** How to find this demo's services among all processes of the machine. */
  get serviceScan(): ProcessScanOptions {
    const nodes = Object.fromEntries(this.layout.nodes.map(({ id, volume }) => [volume, id]));
    return { marker: SERVICE_MARKER, nodeOption: '--store', nodes };
  }

  /** The compiled mail server. */
  get serverScript(): string {
    return SERVER;
  }

  node(id: string): DemoNode {
    const node = this.layout.nodes.find((each) => each.id === id);
    assert(node !== undefined, `there is a node ${JSON.stringify(id)}`);
    return node;
  }

  client(id: string): NodeClient {
    const client = this.clients.find((each) => each.id === id);
    assert(client !== undefined, `there is a node ${JSON.stringify(id)}`);
    return client;
  }

  isUp(id: string): boolean {
    return this.#daemons.has(id);
  }

  /** Starts the daemon of a node, also again; returns its pid. */
  start(id: string, { options = [], env = {} }: DaemonExtras = {}): number {
    const { configFile, logFile } = this.node(id);
    const output = openSync(logFile, 'a');
    try {
      const argv = [this.#program, 'run', '--config', configFile, ...options];
      const daemon = spawn(process.execPath, argv, {
        stdio: ['ignore', output, output],
        detached: true,
        env: { ...environment(this.layout.folder), ...env },
      });
      assert(daemon.pid !== undefined, 'the running program can be started once more');
      this.#daemons.set(id, daemon);
      daemon.once('exit', (code, signal) => this.#noteExit(id, daemon, signal ?? `code ${code}`));
      return daemon.pid;
    } finally {
      closeSync(output);
    }
  }

  /** SIGKILL to the daemon of a node and to it alone; returns its pid when it is dead. */
  async killDaemon(id: string): Promise<number> {
    const daemon = this.#daemons.get(id);
    assert(daemon?.pid !== undefined, `the daemon of ${id} runs`);
    await this.#end(daemon, 'SIGKILL');
    return daemon.pid;
  }

  /** The service processes that run at this moment, as the kernel shows them. */
  services(): RunningService[] {
    return new ProcessScan(this.serviceScan).look();
  }

  /** How the daemon of a node ended by itself last, for instance `code 1`. */
  endOf(id: string): string | undefined {
    return this.#ends.get(id);
  }

  /** The first daemon that ended and had not been told to. */
  get failure(): MailraftError | undefined {
    return this.#failure;
  }

  /** Who serves; undefined while nobody does, or not with everything that belongs to it. */
  async primary(): Promise<string | undefined> {
    const isPrimary = await Promise.all(this.clients.map((client) => client.isPrimary()));
    return this.ids.find((_, index) => isPrimary[index]);
  }

  async status(id: string): Promise<StatusReport | undefined> {
    return this.client(id).get<StatusReport>('/status');
  }

  /** Of those that answer. */
  async statuses(): Promise<StatusReport[]> {
    const statuses = await Promise.all(this.ids.map((id) => this.status(id)));
    return statuses.filter((status) => status !== undefined);
  }

  /** The last lines that each daemon wrote. */
  async logTails(lineCount: number): Promise<{ id: string; lines: string[] }[]> {
    const tails: { id: string; lines: string[] }[] = [];
    for (const { id, logFile } of this.layout.nodes) {
      const lines = (await readTail(logFile)).trimEnd().split('\n');
      tails.push({ id, lines: lines.slice(-lineCount) });
    }
    return tails;
  }

  /** Ends everything, and removes the folder unless it is to be kept. May be called again. */
  close(keep: boolean): Promise<CloseReport> {
    this.#closed ??= this.#close(keep);
    return this.#closed;
  }

  async #close(keep: boolean): Promise<CloseReport> {
    const daemons = [...this.#daemons.values()];
    await Promise.all(daemons.map((daemon) => this.#end(daemon, 'SIGTERM')));
    const { folder } = this.layout;
    const killed = await untilGone(folder, GONE_MS_MAX);
    for (let left = killed; left.length > 0; left = await findDemoProcesses(folder)) {
      for (const { pid } of left) signalProcess(pid, 'SIGKILL');
      await untilGone(folder, GONE_MS_MAX);
    }
    if (!keep) await rm(folder, { recursive: true, force: true });
    process.off('exit', this.#killAll);
    return { killed };
  }

  /** Sends the signal and waits for the end; after a while the end is made. */
  async #end(daemon: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    this.#dismissed.add(daemon);
    if (daemon.exitCode !== null || daemon.signalCode !== null) return;
    const exit = once(daemon, 'exit');
    daemon.kill(signal);
    const giveUp = setTimeout(() => daemon.kill('SIGKILL'), STOP_MS_MAX);
    await exit;
    clearTimeout(giveUp);
  }

  #noteExit(id: string, daemon: ChildProcess, how: string): void {
    if (this.#daemons.get(id) === daemon) this.#daemons.delete(id);
    if (this.#dismissed.has(daemon)) return;
    this.#ends.set(id, how);
    this.#failure ??= new MailraftError(
      'SERVICE_FAILED',
      `the daemon of ${id} ended by itself with ${how}`,
    );
  }
}

/** Only what a program needs: what the caller's shell sets for Node must not leak in. */
function environment(folder: string): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR, LANG } = process.env;
  const kept = Object.entries({ PATH, HOME, TMPDIR, LANG }).filter(([, value]) => value);
  return { ...Object.fromEntries(kept), [FOLDER_VARIABLE]: folder };
}

async function readTail(file: string): Promise<string> {
  try {
    return (await readFile(file)).subarray(-TAIL_BYTES).toString();
  } catch (error) {
    // A daemon that was never started has no log.
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  }
}
