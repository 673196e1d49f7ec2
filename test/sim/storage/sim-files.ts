/**
 * A simulated file system behind the journal's port to the real one.
 *
 * Fault model, per file and page: what is written lies in memory until it is synced. When
 * the power fails, of what was not synced some pages are on the disk and others are not,
 * and names of files that were made, moved or removed since the directory was synced are
 * there or not, each for itself. When only the process dies, memory lives on. A sync that
 * fails drops what it should have written, and the next one succeeds without it. Bits rot
 * where nobody looks.
 *
 * Calls work at once, as the journal's thread expects; how long they took is told
 * afterwards. Until `settle` says that the time is over nothing of them is on the disk,
 * and a crash may come between any two.
 */

import { dirname } from 'node:path';
import type { JournalFiles } from '../../../src/journal/files.ts';
import type { Chance } from '../random.ts';

const PAGE_BYTES = 512;
/** Of a file that is made. */
const CAPACITY_BYTES = 2048;

class SystemError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`${code}: simulated`);
    this.code = code;
  }
}

class SimFile {
  bytes: Buffer = Buffer.alloc(CAPACITY_BYTES);
  length = 0;
  /** Bytes up to here are on the disk. */
  synced = 0;

  append(part: Uint8Array): void {
    const end = this.length + part.length;
    if (end > this.bytes.length) {
      const grown = Buffer.alloc(Math.max(end, this.bytes.length * 2));
      this.bytes.copy(grown, 0, 0, this.length);
      this.bytes = grown;
    }
    this.bytes.set(part, this.length);
    this.length = end;
  }

  /** Of what is not on the disk some pages get there, and the file may end before. */
  tear(chance: Chance): void {
    const loose = this.length - this.synced;
    if (loose <= 0) return;
    const end = this.synced + chance.below(loose + 1);
    for (let at = this.synced; at < end; at = nextPage(at)) {
      if (chance.happens(0.2)) this.bytes.fill(0, at, Math.min(end, nextPage(at)));
    }
    this.length = end;
    this.synced = end;
  }

  drop(): void {
    this.length = this.synced;
  }
}

const nextPage = (at: number): number => (Math.floor(at / PAGE_BYTES) + 1) * PAGE_BYTES;

/** One call, which a crash before its end takes back. */
interface Call {
  readonly undo: () => void;
  /** What is on the disk once the call is through. */
  readonly effect?: () => void;
}

export class SimFiles implements JournalFiles {
  readonly #chance: Chance;
  readonly #directories = new Set<string>();
  /** Files by path, as a process sees them. */
  #files = new Map<string, SimFile>();
  /** And as the disk has them. */
  #named = new Map<string, SimFile>();
  readonly #open = new Map<number, SimFile>();
  #lastFd = 0;
  #calls: Call[] = [];
  #syncs = 0;
  isFull = false;
  /** The next sync fails. */
  isFailing = false;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** Syncs since the last `settle`: what takes time. */
  get syncs(): number {
    return this.#syncs;
  }

  /** The calls so far are through. */
  settle(): void {
    for (const { effect } of this.#calls) effect?.();
    this.#calls = [];
    this.#syncs = 0;
  }

  /** The process ended, and with `isPowerLost` the machine. */
  crash(isPowerLost: boolean): void {
    const through = this.#chance.below(this.#calls.length + 1);
    for (const { undo } of this.#calls.slice(through).reverse()) undo();
    this.#calls.length = through;
    this.settle();
    this.#open.clear();
    this.isFailing = false;
    if (isPowerLost) this.#losePower();
  }

  /** Everything is gone. */
  wipe(): void {
    this.#directories.clear();
    this.#files.clear();
    this.#named.clear();
  }

  /** A bit flips in one of the files; false when there is nothing that could rot. */
  rot(suffix: string): boolean {
    const files = [...this.#named].filter(
      ([path, { length }]) => path.endsWith(suffix) && length > 0,
    );
    if (files.length === 0) return false;
    const [, file] = this.#chance.pick(files);
    const at = this.#chance.below(file.length);
    file.bytes[at] = (file.bytes[at] as number) ^ (1 << this.#chance.below(8));
    return true;
  }

  makeDirectory(path: string): void {
    this.#directories.add(path);
  }

  list(path: string): readonly string[] {
    const names: string[] = [];
    for (const file of this.#files.keys()) {
      if (dirname(file) === path) names.push(file.slice(path.length + 1));
    }
    return names;
  }

  readAll(path: string): Buffer {
    const file = this.#find(path);
    // What a dead process left in memory gets to the disk first.
    file.synced = file.length;
    return Buffer.from(file.bytes.subarray(0, file.length));
  }

  create(path: string): number {
    if (this.#files.has(path)) throw new SystemError('EEXIST');
    if (this.isFull) throw new SystemError('ENOSPC');
    const file = new SimFile();
    this.#files.set(path, file);
    this.#did({ undo: () => this.#files.delete(path) });
    return this.#opened(file);
  }

  openForReading(path: string): number {
    return this.#opened(this.#find(path));
  }

  read(fd: number, offset: number, bytes: number): Buffer {
    const file = this.#at(fd);
    const end = Math.min(file.length, offset + bytes);
    return Buffer.from(file.bytes.subarray(offset, end));
  }

  append(fd: number, parts: readonly Uint8Array[]): void {
    const file = this.#at(fd);
    const { length } = file;
    this.#did({ undo: () => truncate(file, length) });
    for (const part of parts) {
      if (this.isFull) {
        file.append(part.subarray(0, this.#chance.below(part.length + 1)));
        throw new SystemError('ENOSPC');
      }
      file.append(part);
    }
  }

  truncate(fd: number, bytes: number): void {
    const file = this.#at(fd);
    const cut = Buffer.from(file.bytes.subarray(bytes, file.length));
    truncate(file, bytes);
    this.#did({ undo: () => file.append(cut) });
  }

  sync(fd: number): void {
    const file = this.#at(fd);
    this.#syncs += 1;
    if (this.isFailing) {
      this.isFailing = false;
      this.#did({ undo: () => undefined, effect: () => file.drop() });
      throw new SystemError('EIO');
    }
    const { length } = file;
    const effect = (): void => {
      file.synced = Math.min(length, file.length);
    };
    this.#did({ undo: () => undefined, effect });
  }

  close(fd: number): void {
    this.#open.delete(fd);
  }

  rename(from: string, to: string): void {
    const file = this.#find(from);
    const before = this.#files.get(to);
    this.#files.delete(from);
    this.#files.set(to, file);
    const undo = (): void => {
      this.#files.set(from, file);
      if (before === undefined) this.#files.delete(to);
      else this.#files.set(to, before);
    };
    this.#did({ undo });
  }

  remove(path: string): void {
    const file = this.#find(path);
    this.#files.delete(path);
    this.#did({ undo: () => this.#files.set(path, file) });
  }

  syncDirectory(path: string): void {
    this.#syncs += 1;
    const names = [...this.#files].filter(([file]) => dirname(file) === path);
    const effect = (): void => {
      for (const file of [...this.#named.keys()]) {
        if (dirname(file) === path) this.#named.delete(file);
      }
      for (const [file, found] of names) this.#named.set(file, found);
    };
    this.#did({ undo: () => undefined, effect });
  }

  /** Each change of a name that was not synced is there or not; each page likewise. */
  #losePower(): void {
    const after = new Map<string, SimFile>();
    for (const path of new Set([...this.#named.keys(), ...this.#files.keys()])) {
      const [old, now] = [this.#named.get(path), this.#files.get(path)];
      const found = old === now || this.#chance.happens(0.5) ? old : now;
      if (found !== undefined) after.set(path, found);
    }
    this.#named = after;
    this.#files = new Map(after);
    for (const file of new Set(after.values())) file.tear(this.#chance);
  }

  #did(call: Call): void {
    this.#calls.push(call);
  }

  #opened(file: SimFile): number {
    this.#lastFd += 1;
    this.#open.set(this.#lastFd, file);
    return this.#lastFd;
  }

  #at(fd: number): SimFile {
    const file = this.#open.get(fd);
    if (file === undefined) throw new SystemError('EBADF');
    return file;
  }

  #find(path: string): SimFile {
    const file = this.#files.get(path);
    if (file === undefined) throw new SystemError('ENOENT');
    return file;
  }
}

function truncate(file: SimFile, bytes: number): void {
  file.length = bytes;
  file.synced = Math.min(file.synced, bytes);
}
