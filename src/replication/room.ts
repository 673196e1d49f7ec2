/**
 * Whether the volumes have room for what a service writes: one that has none answers on,
 * and takes nothing more, while another node may have room.
 */

import { statfsSync } from 'node:fs';
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

  /** Looks how much is free. */
  look(): void {
    for (const { name, path } of this.#trees) {
      const { bavail, bsize } = statfsSync(path);
      const freeBytes = bavail * bsize;
      const isFull = freeBytes < (this.#full.has(name) ? FREE_BYTES_AGAIN : FREE_BYTES_MIN);
      if (!isFull) this.#full.delete(name);
      else this.#full.set(name, `volume ${JSON.stringify(name)} has ${freeBytes} bytes free`);
    }
  }
}
