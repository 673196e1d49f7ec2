/**
 * One volume on this machine's disk: its directories by identity, and a workspace
 * on the same file system where files are staged before they appear.
 *
 * Directories are opened step by step from the root, never through a link, and kept
 * open only for one batch of work: nothing here can reach outside the root.
 */

import { closeSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';
import {
  type FileStat,
  findAt,
  openDirectoryAt,
  openRoot,
  statOf,
} from '../../platform/linux/files-at.ts';
import { type FileId, ROOT_ID } from '../command/change.ts';
import type { FileIndex } from '../index/file-index.ts';
import { Exclusions, WORKSPACE } from './exclusions.ts';

export interface VolumeOptions {
  /** Names the volume in the log; the same on every member. */
  readonly number: number;
  readonly name: string;
  readonly path: string;
  readonly exclude: readonly string[];
}

/** A name in an open directory. */
export interface PlaceOnDisk {
  readonly dir: number;
  readonly name: Buffer;
}

/** Directories that one batch of work keeps open. */
const OPEN_MAX = 256;

export class VolumeTree {
  readonly number: number;
  readonly name: string;
  readonly path: string;
  readonly exclusions: Exclusions;
  /** Kept open from before the first write, so that syncing it tells of every error (rule 21). */
  readonly rootFd: number;
  readonly stagingFd: number;
  readonly poolFd: number;
  readonly barrierFd: number;
  readonly #open = new Map<FileId, number>();

  constructor({ number, name, path, exclude }: VolumeOptions) {
    this.number = number;
    this.name = name;
    this.path = path;
    this.exclusions = new Exclusions(exclude);
    this.rootFd = openRoot(path);
    const workspace = join(path, WORKSPACE);
    for (const part of ['staging', 'pool', 'barrier']) {
      mkdirSync(join(workspace, part), { recursive: true, mode: 0o700 });
      // Nothing that an earlier run staged is of use: the journal has it. The directory
      // stays, for a full disk may have no room for another.
      if (part !== 'pool') empty(join(workspace, part));
    }
    this.stagingFd = openRoot(join(workspace, 'staging'));
    this.poolFd = openRoot(join(workspace, 'pool'));
    this.barrierFd = openRoot(join(workspace, 'barrier'));
  }

  close(): void {
    this.release();
    for (const fd of [this.rootFd, this.stagingFd, this.poolFd, this.barrierFd]) closeSync(fd);
  }

  /** The open directory of that identity. Throws ENOENT or ENOTDIR when the disk differs. */
  directory(index: FileIndex, id: FileId): number {
    if (id === ROOT_ID) return this.rootFd;
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    const record = index.getDirectory(this.number, id);
    const fd = openDirectoryAt(this.directory(index, record.parent), record.name);
    this.#open.set(id, fd);
    return fd;
  }

  /** Like `directory`, but undefined when the disk has none there. */
  findDirectory(index: FileIndex, id: FileId): number | undefined {
    try {
      return this.directory(index, id);
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  }

  /**
   * The directory at the end of `names`, as they are on disk; the caller closes it.
   * Undefined when there is none.
   */
  openPath(names: readonly Buffer[]): number | undefined {
    let fd = openDirectoryAt(this.rootFd, Buffer.from('.'));
    for (const name of names) {
      try {
        const next = openDirectoryAt(fd, name);
        closeSync(fd);
        fd = next;
      } catch (error) {
        closeSync(fd);
        if (isAbsence(error)) return undefined;
        throw error;
      }
    }
    return fd;
  }

  /** Closes the open directories when they are many; between changes, never within one. */
  releaseIfMany(): void {
    if (this.#open.size > OPEN_MAX) this.release();
  }

  /** Closes all directories but the root; the next batch opens them anew. */
  release(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  stat(place: PlaceOnDisk): FileStat | undefined {
    return findAt(place.dir, place.name);
  }

  get rootStat(): FileStat {
    return statOf(this.rootFd);
  }

  /** Names in an open directory, as bytes, in no order. */
  namesIn(fd: number): Buffer[] {
    return readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' });
  }
}

function empty(directory: string): void {
  for (const name of readdirSync(directory)) {
    rmSync(join(directory, name), { recursive: true, force: true });
  }
}

/** Whether an error says that something is not there, or is of another kind. */
export function isAbsence(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP';
}
