/**
 * Remembers that the log may lack what was acknowledged of it, from when that is found
 * until everything is there again: a restart between must not forget it, for by then the
 * damage itself may be overwritten.
 *
 * A file of its own, that is there or not: nothing in it could be damaged.
 */

import { join } from 'node:path';
import type { JournalFiles } from './files.ts';

const NAME = 'muted';

export class MuteMark {
  readonly #files: JournalFiles;
  readonly #directory: string;
  #isSet: boolean;

  constructor(files: JournalFiles, directory: string) {
    this.#files = files;
    this.#directory = directory;
    this.#isSet = files.list(directory).includes(NAME);
  }

  get isSet(): boolean {
    return this.#isSet;
  }

  /** Durable when it returns. */
  set(isSet: boolean): void {
    if (isSet === this.#isSet) return;
    const path = join(this.#directory, NAME);
    if (isSet) this.#files.close(this.#files.create(path));
    else this.#files.remove(path);
    this.#files.syncDirectory(this.#directory);
    this.#isSet = isSet;
  }
}
