/** A guardian with its client, for one test, and what can be seen of both. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { findProcess, sendSignal, signalProcess } from '../../src/platform/linux/processes.ts';
import { findProtection } from '../../src/service/driver/protection.ts';
import { GuardianClient } from '../../src/service/guardian/client.ts';
import { scratch } from '../support/scratch.ts';
import { until } from '../support/until.ts';
import {
  fileAddress,
  GUARDIAN,
  heldFile,
  lease,
  servicesOf,
  settingsFor,
  uniqueName,
  type Wishes,
} from './programs.ts';

export const LEASE_MS = 4000;

/** For what only a pid namespace can promise. */
export const NAMESPACES =
  (await findProtection()).kind === 'namespace'
    ? {}
    : { skip: 'no pid namespaces are allowed here' };

export class Rig {
  readonly directory: string;
  readonly name = uniqueName();
  readonly logs: string[] = [];
  readonly losses: string[] = [];
  /** Every fact about epoch 1 that was ever reported, without repetitions. */
  readonly states: string[] = [];
  readonly wishes: Wishes;
  client!: GuardianClient;
  #renewal: NodeJS.Timeout | undefined;

  constructor(t: Test, wishes: Partial<Wishes> = {}) {
    const { path, onClose } = scratch(t);
    this.directory = path;
    this.wishes = { dataDir: path, name: this.name, addresses: [fileAddress(path)], ...wishes };
    onClose(async () => {
      this.silence();
      await this.client?.close();
      // One that ends meanwhile is as good as killed.
      for (const pid of servicesOf(this.name)) sendSignal(pid, 'SIGKILL');
    });
  }

  async start(): Promise<this> {
    this.client = await GuardianClient.start(
      settingsFor(this.wishes),
      {
        onReport: () => this.#note(),
        onLog: (level, text) => this.logs.push(`${level}: ${text}`),
        onLost: (reason) => this.losses.push(reason),
      },
      GUARDIAN,
    );
    return this;
  }

  /** Serves epoch 1 and waits until the service runs. */
  async serve(leaseMs = LEASE_MS): Promise<number> {
    this.client.serve(1, lease(leaseMs));
    await until(() => this.client.service.state === 'running', 'the service runs');
    await until(() => this.logs.some((line) => line.includes('up as')), 'it says that it is up');
    return this.client.service.pid ?? 0;
  }

  /** Renews the tenure until the test is over or `silence` is called. */
  renew(kind: 'serve' | 'stop' = 'serve', leaseMs = LEASE_MS): void {
    this.silence();
    const say = () => this.client[kind](1, lease(leaseMs));
    say();
    this.#renewal = setInterval(say, 100);
  }

  silence(): void {
    clearInterval(this.#renewal);
  }

  get guardianPid(): number {
    return this.client.pid ?? 0;
  }

  get isAddressThere(): boolean {
    return existsSync(heldFile(this.directory));
  }

  async untilReleased(withinMs = 8000): Promise<void> {
    const isReleased = () => {
      const { service, isAddressHeld } = this.client.facts(1);
      return service === 'stopped' && !isAddressHeld;
    };
    await until(isReleased, 'nothing is held', withinMs);
  }

  #note(): void {
    const { service, isOver, isLost } = this.client.facts(1);
    const state = `${service}${isOver ? ' over' : ''}${isLost ? ' lost' : ''}`;
    if (this.states.at(-1) !== state) this.states.push(state);
  }
}

/** A daemon in a process of its own, whose guardian serves. */
export async function startDaemon(
  t: Test,
  rig: Rig,
): Promise<{ daemon: ChildProcess; guardian: number }> {
  const script = fileURLToPath(new URL('./test-daemon.js', import.meta.url));
  const daemon = spawn(process.execPath, [script, JSON.stringify(settingsFor(rig.wishes))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => daemon.kill('SIGKILL'));
  let output = '';
  daemon.stdout?.on('data', (text) => {
    output += text;
  });
  await until(() => output.includes('\n'), 'the daemon serves');
  const identity = findProcess(Number(output));
  // A test may have stopped it: without its daemon nobody else would end it.
  t.teardown(() => identity !== undefined && signalProcess(identity, 'SIGKILL'));
  return { daemon, guardian: Number(output) };
}
