/**
 * The processes of a machine as the world outside sees them, for kills by pid.
 *
 * A process belongs to a machine when it is in the machine's pid namespace, or
 * in a nested one (a service may have its own) that shares the machine's
 * network. What merely entered the machine's network from outside, such as a
 * waiting `nsenter`, does not belong to it.
 */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface LabProcess {
  /** As the test sees it, so that it can be killed. */
  readonly pid: number;
  readonly argv: readonly string[];
  /** The kernel's letter: R, S, D, T, Z and so on. */
  readonly state: string;
}

/** Every process of the machine whose pid 1 is `initPid`, without that one. */
export function processesBehind(initPid: number): LabProcess[] {
  const [pidSpace, network] = [space(initPid, 'pid'), space(initPid, 'net')];
  if (pidSpace === undefined) return [];
  const outside = space(process.pid, 'pid');
  const found: LabProcess[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === initPid) continue;
    const own = space(pid, 'pid');
    if (own === undefined || own === outside) continue;
    if (own !== pidSpace && space(pid, 'net') !== network) continue;
    const look = lookAt(pid);
    if (look !== undefined) found.push(look);
  }
  return found;
}

/** What is known of a process, or undefined when it is gone. */
export function lookAt(pid: number): LabProcess | undefined {
  const [stat, command] = [read(pid, 'stat'), read(pid, 'cmdline')];
  if (stat === undefined || command === undefined) return undefined;
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  return { pid, state, argv: command.split('\0').slice(0, -1) };
}

/** Whether an interpreter runs the script whose path ends so, and still runs it. */
export function runsScript({ argv, state }: LabProcess, ending: string): boolean {
  const script = argv.slice(1).find((argument) => !argument.startsWith('-'));
  return state !== 'Z' && script?.endsWith(ending) === true;
}

/** The processes that `pid` has started and that still exist. */
export function childrenOf(pid: number): number[] {
  const children = read(pid, `task/${pid}/children`) ?? '';
  return children.split(' ').filter(Boolean).map(Number);
}

/**
 * Sends a signal to a process of a machine.
 *
 * `nsenter` stops itself when the process it waits for is stopped and does not
 * wake with it; left alone it would never collect its child nor report its end.
 */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  process.kill(pid, signal);
  if (signal !== 'SIGCONT') return;
  const stat = read(pid, 'stat') ?? '';
  const parent = Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0]);
  if (parent > 0 && read(parent, 'comm') === 'nsenter\n') process.kill(parent, 'SIGCONT');
}

function space(pid: number, kind: 'pid' | 'net'): string | undefined {
  return whileItLives(() => readlinkSync(`/proc/${pid}/ns/${kind}`));
}

function read(pid: number, file: string): string | undefined {
  return whileItLives(() => readFileSync(`/proc/${pid}/${file}`, 'utf8'));
}

/** Processes end while one looks, and those of other users do not let one look. */
function whileItLives(look: () => string): string | undefined {
  try {
    return look();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(code)) return undefined;
    throw error;
  }
}
