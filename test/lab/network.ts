/**
 * The lab's network: N machines, a client and a switch, all in namespaces.
 *
 * The switch is a bridge in a network namespace of its own, and each machine
 * hangs on it by a veth pair whose port is named after the machine. The network
 * of the computer that runs the tests is never touched.
 *
 *     n1 10.77.0.11 ─┐
 *     n2 10.77.0.12 ─┼─ switch (br0) ─ client 10.77.0.50
 *     n3 10.77.0.13 ─┘
 */

import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ExecOptions, Machine } from './machine.ts';
import { type Direction, OneWayFaults } from './one-way.ts';
import { type LabProcess, processesBehind } from './processes.ts';
import { runCommand } from './run-command.ts';
import { until } from './until.ts';

export const CLIENT = 'client';
export const BRIDGE = 'br0';
/** The bridge's own address on the wire, which the observer asks from. */
export const BRIDGE_MAC = '02:4d:52:00:00:fe';
/** The first of 16 addresses that belong to the observer. */
export const OBSERVER_ADDRESSES = '10.77.0.224';
const NODES_MAX = 30;
const PREFIX = '10.77.0';

export interface LabNetworkOptions {
  /** How many nodes, named n1, n2 and so on. */
  readonly nodes: number;
}

type BootListener = (machine: Machine) => Promise<void>;

export class LabNetwork {
  /** The names of the nodes. */
  readonly nodes: readonly string[];
  /** Holds the directories of all machines; removed by `down`. */
  readonly directory: string;
  readonly #switch: Machine;
  readonly #machines = new Map<string, Machine>();
  readonly #faults = new OneWayFaults();
  readonly #bootListeners = new Set<BootListener>();

  private constructor(options: LabNetworkOptions) {
    if (options.nodes < 1 || options.nodes > NODES_MAX) throw new Error('1 to 30 nodes');
    this.nodes = Array.from({ length: options.nodes }, (_, index) => `n${index + 1}`);
    this.directory = realpathSync(mkdtempSync(join(tmpdir(), `mailraft-lab-${process.pid}-`)));
    if (this.directory.startsWith('/run/')) {
      throw new Error('TMPDIR is below /run, which every machine has of its own');
    }
    this.#switch = new Machine('switch', this.directory);
    for (const name of [...this.nodes, CLIENT]) {
      const directory = join(this.directory, name);
      mkdirSync(directory);
      this.#machines.set(name, new Machine(name, directory));
    }
  }

  /** Builds and boots everything; takes everything down again when that fails. */
  static async up(options: LabNetworkOptions): Promise<LabNetwork> {
    const network = new LabNetwork(options);
    try {
      await network.#start();
    } catch (error) {
      await network.down();
      throw error;
    }
    return network;
  }

  machine(name: string): Machine {
    const machine = this.#machines.get(name);
    if (machine === undefined) throw new Error(`no machine ${JSON.stringify(name)}`);
    return machine;
  }

  /** Names of the nodes and the client. */
  get machines(): readonly string[] {
    return [...this.#machines.keys()];
  }

  addressOf(name: string): string {
    return `${PREFIX}.${this.#hostNumber(name)}`;
  }

  /** A machine keeps its network card over all its lives. */
  macOf(name: string): string {
    return `02:4d:52:00:00:${this.#hostNumber(name).toString(16).padStart(2, '0')}`;
  }

  directoryOf(name: string): string {
    return this.machine(name).directory;
  }

  /** Starts a process inside a machine. */
  exec(name: string, argv: readonly string[], options: ExecOptions = {}): ChildProcess {
    return this.machine(name).spawn(argv, options);
  }

  /** Runs a command inside a machine to its end and returns what it printed. */
  run(name: string, argv: readonly string[]): Promise<string> {
    const target = ['nsenter', '--target', String(this.machine(name).initPid)];
    return runCommand([...target, '--net', '--mount', '--uts', '--pid', '--', ...argv]);
  }

  /** Starts a process on the switch: it sees every frame, and every process of the computer. */
  execOnSwitch(argv: readonly string[], options: ExecOptions = {}): ChildProcess {
    return this.#switch.spawnInNetwork(argv, options);
  }

  /** Every process of the machine except its pid 1, by the pid to kill it with. */
  processes(name: string): LabProcess[] {
    const machine = this.machine(name);
    return machine.isOn ? processesBehind(machine.initPid) : [];
  }

  /** Pulls the cable: the machine sees its carrier go. */
  async cut(name: string): Promise<void> {
    await this.#onSwitch(['ip', 'link', 'set', 'dev', this.machine(name).name, 'down']);
  }

  /** Puts the cable back; resolves when the port forwards again. */
  async heal(name: string): Promise<void> {
    await this.#onSwitch(['ip', 'link', 'set', 'dev', this.machine(name).name, 'up']);
    await this.#forwards(name);
  }

  /** Frames from one machine no longer reach the other; the way back stays open. */
  async blockOneWay(direction: Direction): Promise<void> {
    this.#faults.block({
      from: this.machine(direction.from).name,
      to: this.machine(direction.to).name,
    });
    await this.#applyFaults();
  }

  /** Opens one direction again, or all. */
  async unblock(direction?: Direction): Promise<void> {
    if (direction === undefined) this.#faults.clear();
    else this.#faults.unblock(direction);
    await this.#applyFaults();
  }

  /** The power fails: all processes and the network card of the machine are gone together. */
  async powerOff(name: string): Promise<void> {
    const machine = this.machine(name);
    if (!machine.isOn) throw new Error(`machine ${name} is already off`);
    const processesGone = machine.powerOff();
    // The kernel takes its time with a network namespace that nobody uses any more
    // and answers for its addresses until then. A machine without power does not.
    await this.#unplug(name);
    await processesGone;
  }

  /** Boots a machine that was powered off, with the disk and the card it had. */
  async boot(name: string): Promise<void> {
    const machine = this.machine(name);
    // One that lost its pid 1 otherwise still has its port.
    await this.#unplug(name);
    await machine.boot();
    const pid = String(machine.initPid);
    const card = ['address', this.macOf(name), 'netns', pid];
    await this.#onSwitch([
      'ip',
      'link',
      'add',
      name,
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      ...card,
    ]);
    await this.#onSwitch(['ip', 'link', 'set', 'dev', name, 'master', BRIDGE, 'up']);
    await this.run(name, ['ip', 'address', 'add', `${this.addressOf(name)}/24`, 'dev', 'eth0']);
    await this.run(name, ['ip', 'link', 'set', 'dev', 'eth0', 'up']);
    await this.#forwards(name);
    for (const listener of this.#bootListeners) await listener(machine);
  }

  /** SIGKILL to all processes of a machine in one call; its kernel and its network live on. */
  async killEverything(name: string): Promise<void> {
    await this.run(name, ['sh', '-c', 'kill -KILL -1']);
  }

  /** `listener` is awaited after each boot, before anything can run on the machine. */
  onBoot(listener: BootListener): void {
    this.#bootListeners.add(listener);
  }

  /** Stops everything that was started here and removes the directories. May be called again. */
  async down(): Promise<void> {
    const all = [...this.#machines.values(), this.#switch];
    await Promise.all(all.map((machine) => machine.powerOff()));
    await Promise.all(all.map((machine) => machine.killGuests()));
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    await this.#switch.boot();
    // Without these a new port is silent for two forward delays of 15 s.
    const quiet = ['forward_delay', '0', 'stp_state', '0', 'mcast_snooping', '0'];
    await this.#onSwitch([
      'ip',
      'link',
      'add',
      BRIDGE,
      'address',
      BRIDGE_MAC,
      'type',
      'bridge',
      ...quiet,
    ]);
    await this.#onSwitch(['ip', 'link', 'set', 'dev', BRIDGE, 'up']);
    // All are waited for, so that no boot is still under way when one failed.
    const boots = await Promise.allSettled(this.machines.map((name) => this.boot(name)));
    for (const boot of boots) if (boot.status === 'rejected') throw boot.reason;
  }

  #hostNumber(name: string): number {
    if (name === CLIENT) return 50;
    const index = this.nodes.indexOf(name);
    if (index < 0) throw new Error(`no machine ${JSON.stringify(name)}`);
    return 11 + index;
  }

  async #forwards(name: string): Promise<void> {
    await until(`the port of ${name} forwards`, async () => {
      const port = await this.#onSwitch(['ip', '-d', 'link', 'show', 'dev', name]);
      return port.includes('state UP') && port.includes('state forwarding');
    });
  }

  async #unplug(name: string): Promise<void> {
    const ports = await this.#onSwitch(['ip', '-brief', 'link', 'show', 'type', 'veth']);
    if (!ports.split('\n').some((line) => line.startsWith(`${name}@`))) return;
    try {
      await this.#onSwitch(['ip', 'link', 'delete', 'dev', name]);
    } catch (error) {
      // The kernel was faster: the pair goes when either of its namespaces does.
      if (!String(error).includes('Cannot find device')) throw error;
    }
  }

  async #applyFaults(): Promise<void> {
    await this.#onSwitch(['nft', '-f', '-'], this.#faults.ruleset);
  }

  #onSwitch(argv: readonly string[], input = ''): Promise<string> {
    const target = ['nsenter', '--target', String(this.#switch.initPid), '--net', '--'];
    return runCommand([...target, ...argv], input);
  }
}
