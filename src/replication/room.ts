/**
 * Whether the volumes take what a service writes. One without room answers on, and takes
 * nothing more, while another node may have room; one that is gone, or that its kernel
 * made read-only after an error, is a failed disk.
 */

import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import { MailraftError, messageOf } from '../errors.ts';
import { statOf } from '../platform/linux/files-at.ts';
import type { VolumeTree } from './volume/volume-tree.ts';

/** A volume with less free than this is full. */
const FREE_BYTES_MIN = 1024 * 1024;
/** What was full has room again with this much: not by a hair, else it changes to and fro. */
const FREE_BYTES_AGAIN: number = 4 * FREE_BYTES_MIN;

export class Room {
  readonly #trees: readonly VolumeTree[];
  readonly #full = new Map<string, string>();

  constructor(trees: readonly VolumeTree[]) {
    this.#trees = trees;
  }

  /** Which volumes lack room, in words. */
  get lack(): string | undefined {
    return this.#full.size === 0 ? undefined : [...this.#full.values()].join('; ');
  }

  /**
   * Looks how much is free.
   *
   * @throws {MailraftError} `STORAGE_FAILED` when a volume is not there to be written to
   */
  look(): void {
    for (const tree of this.#trees) {
      const { name, path } = tree;
      checkPresence(tree);
      const { bavail, bsize } = statfsSync(path);
      const freeBytes = bavail * bsize;
      const isFull = freeBytes < (this.#full.has(name) ? FREE_BYTES_AGAIN : FREE_BYTES_MIN);
      if (!isFull) this.#full.delete(name);
      else this.#full.set(name, `volume ${JSON.stringify(name)} has ${freeBytes} bytes free`);
    }
  }
}

function checkPresence({ name, path, rootFd }: VolumeTree): void {
  let reason = 'something else is there now';
  try {
    accessSync(path, constants.W_OK);
    if (statSync(path, { bigint: true }).ino === statOf(rootFd).inode) return;
  } catch (error) {
    reason = messageOf(error);
  }
  const what = `volume ${JSON.stringify(name)} at ${path} can not be written to any more`;
  throw new MailraftError('STORAGE_FAILED', `${what}: ${reason}: repair it, then start this node`);
}
