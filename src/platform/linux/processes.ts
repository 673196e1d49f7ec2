/**
 * Processes of this machine by their names for good: a pid alone may be another
 * process a moment later, a pid with its start never is.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { systemCode } from '../../errors.ts';

/** Names one process in the life of the machine. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Ticks of the machine's clock between its start and the process's. */
  readonly startTicks: number;
}

interface ProcessStat {
  readonly state: string;
  readonly parent: number;
  readonly threads: number;
  readonly startTicks: number;
}

/** Undefined when there is no such process. */
export function findProcess(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat === undefined ? undefined : { pid, startTicks: stat.startTicks };
}

/** Whether it still runs anything; a zombie whose threads are gone does not. */
export function isAlive({ pid, startTicks }: ProcessIdentity): boolean {
  const stat = readStat(pid);
  if (stat === undefined || stat.startTicks !== startTicks) return false;
  return (stat.state !== 'Z' || stat.threads > 1) && stat.state !== 'X';
}

/** The first child that a process has, which is the oldest. */
export function findChild(parent: number): ProcessIdentity | undefined {
  const listed = readProcess(`${parent}/task/${parent}/children`);
  // A kernel may be built without that list: then look at everybody's parent.
  const pids = listed === undefined ? childrenByParent(parent) : listed.split(' ');
  const pid = Number(pids[0]);
  return pid > 0 ? findProcess(pid) : undefined;
}

/**
 * Sends a signal to a process, and to its whole group if it leads one.
 *
 * @returns false when it is gone
 */
export function signalProcess(process: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(process)) return false;
  const isGroupSent = sendSignal(-process.pid, signal);
  return sendSignal(process.pid, signal) || isGroupSent;
}

/** kill(2); false when nobody is there to get it. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return false;
    throw error;
  }
}

function childrenByParent(parent: number): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && readStat(pid)?.parent === parent)
    .sort((a, b) => a - b);
}

function readStat(pid: number): ProcessStat | undefined {
  const text = readProcess(`${pid}/stat`);
  if (text === undefined) return undefined;
  // The program's name stands in parentheses and may itself hold blanks and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent, threads, start] = [fields[0], fields[1], fields[17], fields[19]];
  const startTicks = Number(start);
  return Number.isSafeInteger(startTicks)
    ? { state, parent: Number(parent), threads: Number(threads), startTicks }
    : undefined;
}

function readProcess(file: string): string | undefined {
  try {
    return readFileSync(`/proc/${file}`, 'latin1').trim();
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
