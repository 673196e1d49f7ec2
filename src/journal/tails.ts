/**
 * Entries that a new leader's replaced, kept until salvage has looked at them.
 *
 * One file for each time entries were replaced, holding their records. Taking the
 * same entries aside again writes the same file again.
 */

import { join } from 'node:path';
import { entryOf, readRecord } from '../consensus/host/entry-record.ts';
import type { JournalFiles } from './files.ts';

const SUFFIX = '.tail';

export class TailStore {
  readonly #files: JournalFiles;
  readonly #directory: string;

  constructor(files: JournalFiles, directory: string) {
    this.#files = files;
    this.#directory = directory;
    files.makeDirectory(directory);
  }

  /** Names of the tails that are kept, in the order of their terms. */
  get names(): readonly string[] {
    return this.#files
      .list(this.#directory)
      .filter((name) => name.endsWith(SUFFIX))
      .sort();
  }

  /** Makes the records durable, under the name of the first and last entry. */
  add(records: readonly Buffer[]): void {
    const [first, last] = [records[0], records.at(-1)];
    if (first === undefined || last === undefined) return;
    const from = entryOf(readRecord(first, 0).payload);
    const to = entryOf(readRecord(last, 0).payload);
    const digits = (value: number) => String(value).padStart(12, '0');
    const name = `${digits(to.term)}-${digits(from.index)}-${digits(to.index)}${SUFFIX}`;
    const [path, draft] = [join(this.#directory, name), join(this.#directory, `${name}.new`)];
    if (this.#files.list(this.#directory).includes(`${name}.new`)) this.#files.remove(draft);
    const fd = this.#files.create(draft);
    try {
      this.#files.append(fd, records);
      this.#files.sync(fd);
    } finally {
      this.#files.close(fd);
    }
    this.#files.rename(draft, path);
    this.#files.syncDirectory(this.#directory);
  }

  /** The records of a tail. Throws `DATA_DAMAGED` when they do not check. */
  readRecords(name: string): readonly Buffer[] {
    const bytes = this.#files.readAll(join(this.#directory, name));
    const records: Buffer[] = [];
    for (let offset = 0; offset < bytes.length; ) {
      const end = offset + readRecord(bytes, offset).bytes;
      records.push(bytes.subarray(offset, end));
      offset = end;
    }
    return records;
  }

  /** Forgets a tail whose bytes are safe elsewhere. */
  remove(name: string): void {
    this.#files.remove(join(this.#directory, name));
    this.#files.syncDirectory(this.#directory);
  }
}
