/**
 * Entries that a new leader's replaced, kept until salvage has looked at them.
 *
 * One file for each time entries were replaced, holding their records. Taking the
 * same entries aside again writes the same file again.
 */

import { join } from 'node:path';
import { entryOf, readRecord } from '../consensus/host/entry-record.ts';
import { isMailraftError } from '../errors.ts';
import type { JournalFiles } from './files.ts';

const SUFFIX = '.tail';
/** Behind the name of what nobody can read to its end. */
const DAMAGED = '.damaged';

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

  /** The records of a tail, up to the first that is damaged. */
  read(name: string): { readonly records: readonly Buffer[]; readonly isDamaged: boolean } {
    const bytes = this.#files.readAll(join(this.#directory, name));
    const records: Buffer[] = [];
    for (let offset = 0; offset < bytes.length; ) {
      const end = endOfRecord(bytes, offset);
      if (end === undefined) return { records, isDamaged: true };
      records.push(bytes.subarray(offset, end));
      offset = end;
    }
    return { records, isDamaged: false };
  }

  /** Forgets a tail whose bytes are safe elsewhere; one that is damaged is only renamed. */
  remove(name: string): void {
    const path = join(this.#directory, name);
    if (this.read(name).isDamaged) this.#files.rename(path, `${path}${DAMAGED}`);
    else this.#files.remove(path);
    this.#files.syncDirectory(this.#directory);
  }
}

function endOfRecord(bytes: Buffer, offset: number): number | undefined {
  try {
    return offset + readRecord(bytes, offset).bytes;
  } catch (error) {
    if (isMailraftError(error, 'DATA_DAMAGED')) return undefined;
    throw error;
  }
}
