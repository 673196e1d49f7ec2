/**
 * The processes that belong to a demo: daemons, guardians and services, whoever started
 * them. They are told by the demo's folder, which stands in the command line of each or
 * in the environment that it inherited.
 */

import { readdir, readFile } from 'node:fs/promises';
import { MailraftError, systemCode } from '../../errors.ts';

export interface DemoProcess {
  readonly pid: number;
  readonly commandLine: string;
}

/** The variable that carries the folder to every process of a demo. */
export const FOLDER_VARIABLE = 'MAILRAFT_DEMO_FOLDER';

const LOOK_EVERY_MS = 50;

/** All living processes of the demo in `folder`; this one is none of them. */
export async function findDemoProcesses(folder: string): Promise<DemoProcess[]> {
  const found: DemoProcess[] = [];
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const commandLine = await readProcess(pid, 'cmdline');
    if (commandLine === '') continue;
    const environment = commandLine.includes(folder) ? '' : await readProcess(pid, 'environ');
    if (!commandLine.includes(folder) && !hasFolder(environment, folder)) continue;
    found.push({ pid, commandLine: commandLine.replaceAll('\0', ' ').trim() });
  }
  return found;
}

/** Waits until none is left; resolves with those that are left all the same. */
export async function untilGone(folder: string, withinMs: number): Promise<DemoProcess[]> {
  const endAtMs = performance.now() + withinMs;
  for (;;) {
    const left = await findDemoProcesses(folder);
    if (left.length === 0 || performance.now() >= endAtMs) return left;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Sends a signal; a process that is gone already is none to complain about. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return;
    throw new MailraftError('SERVICE_FAILED', `cannot send ${signal} to process ${pid}`, {
      cause: error,
    });
  }
}

function hasFolder(environment: string, folder: string): boolean {
  return environment.split('\0').includes(`${FOLDER_VARIABLE}=${folder}`);
}

/** Empty for a process that is gone, a zombie, or not to be looked at by this user. */
async function readProcess(pid: number, file: string): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/${file}`, 'latin1');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(systemCode(error) ?? '')) return '';
    throw error;
  }
}
