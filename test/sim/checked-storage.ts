/** A simulated disk, with every write looked at before. */

import type { Entry } from '../../src/consensus/core/types.ts';
import type { LogStorage, StorageEvents } from '../../src/consensus/host/storage.ts';
import type { SimDisk } from './disk.ts';

export class CheckedStorage implements LogStorage {
  readonly #disk: SimDisk;
  readonly append: LogStorage['append'];

  constructor(disk: SimDisk, append: LogStorage['append']) {
    this.#disk = disk;
    this.append = append;
  }

  get firstIndex(): number {
    return this.#disk.firstIndex;
  }

  get lastIndex(): number {
    return this.#disk.lastIndex;
  }

  termAt(index: number): number | undefined {
    return this.#disk.termAt(index);
  }

  entries(from: number, to: number, bytesMax: number): readonly Entry[] | undefined {
    return this.#disk.entries(from, to, bytesMax);
  }

  compact(): void {
    this.#disk.compact();
  }

  subscribe(events: StorageEvents): void {
    this.#disk.subscribe(events);
  }
}
