/** Batches as the journal's thread is given them, made from plain values. */

import type { Entry, HardState } from '../../src/consensus/core/types.ts';
import { encodeEntry } from '../../src/consensus/host/entry-record.ts';
import type { WriteBatch } from '../../src/journal/journal-writer.ts';
import { tagOf } from '../../src/journal/scan.ts';

export const TAG = 2;

export function entry(
  term: number,
  index: number,
  data: string | Buffer = `${term}/${index}`,
): Entry {
  return { term, index, kind: 'command', data: Buffer.from(data) };
}

export function batchOf(entries: readonly Entry[], rest: Partial<WriteBatch> = {}): WriteBatch {
  const records = entries.map(encodeEntry);
  return {
    entries: entries.map((entry, at) => ({
      term: entry.term,
      index: entry.index,
      tag: tagOf(entry),
      bytes: records[at]?.length ?? 0,
    })),
    records: Buffer.concat(records),
    hardState: undefined,
    snapshot: undefined,
    promiseMs: undefined,
    mustSync: true,
    ...rest,
  };
}

export const hard = (term: number, commit: number, vote = ''): HardState => ({
  term,
  commit,
  vote,
});
