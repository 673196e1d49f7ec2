/**
 * One machine of the lab: net, pid, mount and uts namespaces around a pid 1.
 *
 * The namespaces have no name anywhere, so runs cannot collide and nothing can
 * be left behind: they live exactly as long as pid 1 does. Pid 1 is a `cat`
 * that reads a pipe of ours. SIGKILL to it is a power failure: the kernel kills
 * everything in the pid namespace at once. Should the test itself die, by
 * whatever cause, the pipe closes, `cat` ends, and the machine goes with it.
 *
 * Pid 1 ignores SIGCHLD, which makes the kernel reap every orphan for it.
 */

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { MACHINE_NAMESPACES } from './requirements.ts';

// The pid that the world outside knows is read before /proc becomes the machine's own.
const INIT = `
set -e
read -r pid rest </proc/self/stat
hostname "$1" 2>/dev/null || echo "$1" >/proc/sys/kernel/hostname
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 tmpfs /run
ip link set lo up
echo "$pid"
exec env --ignore-signal=CHLD cat >/dev/null
`;

const BOOT_TIMEOUT_MS = 15_000;

interface Life {
  readonly initPid: number;
  /** Resolves when every process of the machine is gone. */
  readonly gone: Promise<unknown>;
}

export interface ExecOptions {
  /** Added to a clean environment: what the test runner sets must not leak in. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdio?: SpawnOptions['stdio'];
  /** Default: the machine's own directory. */
  readonly cwd?: string;
}

export class Machine {
  readonly name: string;
  /** The machine's disk: a folder that survives power failures. */
  readonly directory: string;
  #life: Life | undefined;
  readonly #guests = new Set<ChildProcess>();

  constructor(name: string, directory: string) {
    this.name = name;
    this.directory = directory;
  }

  get isOn(): boolean {
    return this.#life !== undefined;
  }

  /** Pid 1 as the world outside sees it. Throws while the machine is off. */
  get initPid(): number {
    if (this.#life === undefined) throw new Error(`machine ${this.name} is off`);
    return this.#life.initPid;
  }

  /** Resolves once pid 1 stands, with no network but loopback. */
  async boot(): Promise<void> {
    if (this.isOn) throw new Error(`machine ${this.name} is already on`);
    const init = ['sh', '-c', INIT, 'init', this.name];
    const launcher = spawn('unshare', [...MACHINE_NAMESPACES, ...init], {
      env: cleanEnvironment(),
    });
    const gone = once(launcher, 'exit');
    // Nothing is ever written to the pipe; its end may be reset when pid 1 dies.
    launcher.stdin.on('error', () => undefined);
    const complaint = collect(launcher.stderr);
    const lines = createInterface({ input: launcher.stdout });
    const signal = AbortSignal.timeout(BOOT_TIMEOUT_MS);
    const first = await Promise.race([once(lines, 'line', { signal }), gone]).catch(
      (error: unknown) => [error],
    );
    const initPid = Number(first[0]);
    if (!(initPid > 0) || launcher.exitCode !== null) {
      launcher.kill('SIGKILL');
      throw new Error(`machine ${this.name} did not boot: ${complaint() || String(first[0])}`);
    }
    const life = { initPid, gone };
    this.#life = life;
    gone.finally(() => {
      if (this.#life === life) this.#life = undefined;
    });
  }

  /** SIGKILL to pid 1; resolves when all that ran in the machine is gone. */
  async powerOff(): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    process.kill(life.initPid, 'SIGKILL');
    // Whoever waits for a process of the machine from outside may be stopped with it.
    for (const guest of this.#guests) guest.kill('SIGCONT');
    await life.gone;
    this.#life = undefined;
  }

  /** Starts a process inside. It is the child of an `nsenter` that passes on its exit. */
  spawn(argv: readonly string[], options: ExecOptions = {}): ChildProcess {
    const { env = {}, stdio = 'pipe', cwd = this.directory } = options;
    // nsenter lands in the root of the machine's file system; env walks from there.
    return this.#enter(
      ['--net', '--mount', '--uts', '--pid', '--', 'env', `--chdir=${cwd}`, ...argv],
      { env: cleanEnvironment(env), stdio },
    );
  }

  /**
   * Starts a process that shares only the machine's network and sees all
   * processes. It has a session of its own: the scheduler deals out time by
   * session, and a busy test shall not starve who watches it.
   */
  spawnInNetwork(argv: readonly string[], execOptions: ExecOptions = {}): ChildProcess {
    const { env = {}, stdio = 'pipe', cwd = this.directory } = execOptions;
    const options = { env: cleanEnvironment(env), stdio, cwd, detached: true };
    return this.#enter(['--net', '--', ...argv], options);
  }

  /** Kills what was started inside or in the network and may outlive pid 1. */
  async killGuests(): Promise<void> {
    const guests = [...this.#guests];
    for (const guest of guests) guest.kill('SIGKILL');
    await Promise.all(guests.map((guest) => ended(guest)));
  }

  #enter(flags: readonly string[], options: SpawnOptions): ChildProcess {
    const guest = spawn('nsenter', ['--target', String(this.initPid), ...flags], options);
    this.#guests.add(guest);
    guest.on('error', () => this.#guests.delete(guest));
    guest.on('exit', () => this.#guests.delete(guest));
    return guest;
  }
}

/** Resolves when `child` has ended, also if it did so before. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

function cleanEnvironment(added: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR, LANG } = process.env;
  const kept = Object.entries({ PATH, HOME, TMPDIR, LANG }).filter(([, value]) => value);
  return { ...Object.fromEntries(kept), ...added };
}

function collect(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text.trim();
}
