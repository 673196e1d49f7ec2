/**
 * The running service process of one machine, found in the machine's own /proc.
 *
 * The machine's /proc, reached through its pid 1, lists the processes of its
 * pid namespace and of those nested in it, and nothing else: which machine a
 * process belongs to is the kernel's word. All processes are looked at in each
 * sample, because a process becomes the service by exec and keeps its pid.
 */

import type { FrozenGroups } from './frozen-groups.ts';
import { closeDescriptor, openAt, readDirectory, readInto, seek } from './libc.ts';
import { isService, parseState } from './process-line.ts';
import type { Sighting } from './service-watch.ts';

const AT_FDCWD = -100;
const O_RDONLY_CLOEXEC = 0o2000000;
const O_DIRECTORY = 0o200000;
const [DIGIT_ZERO, DIGIT_NINE] = [0x30, 0x39] as const;
const LINE_BYTES_MAX = 16 << 10;

/** The scratch of all machines: one sample is taken at a time. */
const entries = Buffer.alloc(64 << 10);
const line = Buffer.alloc(LINE_BYTES_MAX);

export interface ServiceTraits {
  /** Any of these in the program's name or script makes a process the service. */
  readonly markers: readonly Buffer[];
  readonly frozen: FrozenGroups;
}

export class MachineProcesses {
  readonly name: string;
  readonly #traits: ServiceTraits;
  #directory = -1;
  readonly #pids: number[] = [];

  constructor(name: string, traits: ServiceTraits) {
    this.name = name;
    this.#traits = traits;
  }

  /** The machine has a new life, with `initPid` as its pid 1. */
  follow(initPid: number): void {
    this.close();
    const flags = O_RDONLY_CLOEXEC | O_DIRECTORY;
    this.#directory = openAt(AT_FDCWD, `/proc/${initPid}/root/proc`, flags);
    if (this.#directory < 0) throw new Error(`cannot look into machine ${this.name}`);
  }

  close(): void {
    if (this.#directory >= 0) closeDescriptor(this.#directory);
    this.#directory = -1;
  }

  /** A service process that runs at this moment, if there is one. */
  findRunning(): Sighting {
    this.#listPids();
    for (const pid of this.#pids) {
      const sighting = this.#look(pid);
      if (sighting !== undefined) return sighting;
    }
    return undefined;
  }

  #look(pid: number): Sighting {
    const { markers, frozen } = this.#traits;
    const commandBytes = this.#read(`${pid}/cmdline`);
    if (commandBytes <= 0 || !isService(line, commandBytes, markers)) return undefined;
    const statBytes = this.#read(`${pid}/stat`);
    const state = statBytes > 0 ? parseState(line, statBytes) : undefined;
    if (state === undefined || !state.runs) return undefined;
    const groupBytes = this.#read(`${pid}/cgroup`);
    if (groupBytes > 0 && isFrozen(frozen, line.toString('latin1', 0, groupBytes))) {
      return undefined;
    }
    return `${pid} ${state.startedAt}`;
  }

  #listPids(): void {
    this.#pids.length = 0;
    if (this.#directory < 0) return;
    seek(this.#directory, 0, 0);
    for (;;) {
      const bytes = readDirectory(this.#directory, entries, entries.length);
      if (bytes <= 0) return;
      for (let at = 0; at < bytes; at += entries.readUInt16LE(at + 16)) {
        const pid = pidAt(at + 19);
        if (pid > 1) this.#pids.push(pid);
      }
    }
  }

  #read(path: string): number {
    return readFile(this.#directory, path);
  }
}

function isFrozen(frozen: FrozenGroups, membership: string): boolean {
  return frozen.signsOf(membership).some(({ file, text }) => {
    const bytes = readFile(AT_FDCWD, file);
    return bytes > 0 && line.subarray(0, bytes).includes(text);
  });
}

/** Reads the beginning of a file into `line`. The number of bytes, or -1. */
function readFile(directory: number, path: string): number {
  const fd = openAt(directory, path, O_RDONLY_CLOEXEC);
  if (fd < 0) return -1;
  const bytes = readInto(fd, line, line.length);
  closeDescriptor(fd);
  return bytes;
}

/** The number that a name in `entries` is, or -1 when it is not one. */
function pidAt(start: number): number {
  let pid = 0;
  for (let at = start; ; at += 1) {
    const digit = entries[at] ?? 0;
    if (digit === 0) return at === start ? -1 : pid;
    if (digit < DIGIT_ZERO || digit > DIGIT_NINE) return -1;
    pid = pid * 10 + digit - DIGIT_ZERO;
  }
}
