/** A journal's writer over real files, for tests that look at and change what it wrote. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Entry } from '../../src/consensus/core/types.ts';
import { decodeEntry } from '../../src/consensus/host/entry-record.ts';
import { JournalWriter } from '../../src/journal/journal-writer.ts';
import { entry, TAG } from './batches.ts';
import { FaultyFiles } from './faulty-files.ts';

export interface Opened {
  readonly writer: JournalWriter;
  readonly files: FaultyFiles;
  readonly directory: string;
  reopen(): JournalWriter;
}

/** A journal in a directory of the test's own. */
export function open(t: Test, segmentBytes = 1 << 20): Opened {
  const directory = join(t.testdir(), 'journal');
  const files = new FaultyFiles();
  const make = () => new JournalWriter(files, { directory, segmentBytes, tag: TAG });
  return { writer: make(), files, directory, reopen: make };
}

/** The log as text, from its first to its last entry. */
export function logOf(writer: JournalWriter): string[] {
  const { base, lastIndex } = writer.log;
  return writer
    .read(base.index + 1, lastIndex + 1, Number.POSITIVE_INFINITY)
    .map((record) => Buffer.from(decodeEntry(record).data).toString());
}

/** Paths of the segments, in order. */
export const segmentsOf = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.segment'))
    .sort()
    .map((name) => join(directory, name));

/** Entries with their term and index as data. */
export const numbered = (from: number, to: number, term = 1): Entry[] =>
  Array.from({ length: to - from + 1 }, (_, at) => entry(term, from + at));
