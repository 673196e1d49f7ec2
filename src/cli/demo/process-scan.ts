/**
 * One look at /proc: which service processes run at this moment.
 *
 * A process is a service when its program, or the script that its interpreter runs, ends
 * with the marker; a shell or a guardian that only names the service in an argument is
 * none. Zombies and stopped processes do not run.
 *
 * A look must be cheap, for it comes every 10 ms. The list of pids is read each time, the
 * command line only of processes not seen before. A process may become another program
 * (exec), so young ones are read again each time and all others every few looks.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { systemCode } from '../../errors.ts';
import type { RunningService } from './process-timeline.ts';

export interface ProcessScanOptions {
  /** End of the service's program or script path. */
  readonly marker: string;
  /** The argument whose value tells the node: `--store` or `--name`. */
  readonly nodeOption: string;
  /**
   * Node names by that value. Services with another value belong to another group on this
   * machine and do not count. Without it every service counts, under its own value.
   */
  readonly nodes?: Readonly<Record<string, string>>;
}

interface KnownProcess {
  readonly startTicks: string;
  /** Undefined when it is no service. */
  readonly node: string | undefined;
  readonly firstLook: number;
}

const LOOKS_WHILE_YOUNG = 200;
const LOOKS_BETWEEN_READS = 8;
/** Stopped, traced, and the two ways of being dead. */
const STATES_NOT_RUNNING: ReadonlySet<string> = new Set(['T', 't', 'Z', 'X', 'x']);

export class ProcessScan {
  readonly #options: ProcessScanOptions;
  #known: Map<string, KnownProcess> = new Map();
  #looks = 0;

  constructor(options: ProcessScanOptions) {
    this.#options = options;
  }

  look(): RunningService[] {
    this.#looks += 1;
    const known = new Map<string, KnownProcess>();
    const running: RunningService[] = [];
    for (const pid of readdirSync('/proc')) {
      if (!isPid(pid)) continue;
      const service = this.#lookAt(pid, known);
      if (service !== undefined) running.push(service);
    }
    this.#known = known;
    if (running.length < 2) return running;
    // One may have ended and the other begun while this look went from pid to pid: only
    // those that still run at its end ran at the same time.
    return running.filter(({ pid, startTicks }) => {
      const stat = readStat(`${pid}`);
      return stat?.startTicks === startTicks && !STATES_NOT_RUNNING.has(stat.state);
    });
  }

  #lookAt(pid: string, known: Map<string, KnownProcess>): RunningService | undefined {
    const before = this.#known.get(pid);
    if (before !== undefined && before.node === undefined && !this.#isReadAgain(pid, before)) {
      known.set(pid, before);
      return undefined;
    }
    const stat = readStat(pid);
    if (stat === undefined) return undefined;
    const isSame = before?.startTicks === stat.startTicks;
    const process: KnownProcess = {
      startTicks: stat.startTicks,
      node: isSame && before.node !== undefined ? before.node : this.#nodeOf(pid),
      // What ran before the first look is not young.
      firstLook: isSame ? before.firstLook : this.#looks === 1 ? -LOOKS_WHILE_YOUNG : this.#looks,
    };
    known.set(pid, process);
    if (process.node === undefined || STATES_NOT_RUNNING.has(stat.state)) return undefined;
    return { node: process.node, pid: Number(pid), startTicks: stat.startTicks };
  }

  #isReadAgain(pid: string, process: KnownProcess): boolean {
    if (this.#looks - process.firstLook < LOOKS_WHILE_YOUNG) return true;
    return (this.#looks + Number(pid)) % LOOKS_BETWEEN_READS === 0;
  }

  #nodeOf(pid: string): string | undefined {
    const { marker, nodeOption, nodes } = this.#options;
    const commandLine = readProcess(pid, 'cmdline');
    if (commandLine === undefined || !commandLine.includes(marker)) return undefined;
    const words = commandLine.split('\0');
    const script = words.find((word, index) => index > 0 && !word.startsWith('-'));
    if (words[0]?.endsWith(marker) !== true && script?.endsWith(marker) !== true) return undefined;
    const value = optionValue(words, nodeOption) ?? `pid ${pid}`;
    return nodes === undefined ? value : nodes[value];
  }
}

/** The value of `--option VALUE` or `--option=VALUE`. */
function optionValue(words: readonly string[], option: string): string | undefined {
  const at = words.indexOf(option);
  if (at !== -1) return words[at + 1];
  return words.find((word) => word.startsWith(`${option}=`))?.slice(option.length + 1);
}

function isPid(name: string): boolean {
  const first = name.charCodeAt(0);
  return first >= 0x30 && first <= 0x39;
}

function readStat(pid: string): { state: string; startTicks: string } | undefined {
  const text = readProcess(pid, 'stat');
  if (text === undefined) return undefined;
  // The program's name stands in parentheses and may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTicks: fields[19] ?? '' };
}

/** Undefined when the process is gone. */
function readProcess(pid: string, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ESRCH') return undefined;
    throw error;
  }
}
