/**
 * The journal keeps what it acknowledged, through crashes, full disks and changed
 * bytes; and what it can not keep, it says (architecture.md, "Failing storage").
 */

import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import { decodeEntry } from '../../src/consensus/host/entry-record.ts';
import { JournalWriter } from '../../src/journal/journal-writer.ts';
import { batchOf, entry, hard, TAG } from './batches.ts';
import { FaultyFiles } from './faulty-files.ts';
import { logOf, numbered, open, segmentsOf } from './opened.ts';

t.test('what was written is there after a restart, in order', async (t) => {
  const { writer, reopen } = open(t);
  writer.write([
    batchOf(numbered(1, 3), { hardState: hard(1, 2, 'b') }),
    batchOf(numbered(4, 5), { promiseMs: 6000 }),
  ]);
  const again = reopen();
  t.same(logOf(again), ['1/1', '1/2', '1/3', '1/4', '1/5']);
  t.match(again.log, { hardState: { term: 1, commit: 2, vote: 'b' }, promiseMs: 6000 });
});

t.test('everything that waits is made durable by one sync', async (t) => {
  const { writer, files } = open(t);
  writer.write([batchOf(numbered(1, 1))]);
  const before = files.syncs;
  writer.write([batchOf(numbered(2, 2)), batchOf(numbered(3, 3)), batchOf(numbered(4, 4))]);
  t.equal(files.syncs - before, 1);
});

t.test(
  'entries of a new leader replace what stood in their place, which is set aside',
  async (t) => {
    const { writer, reopen } = open(t);
    writer.write([batchOf(numbered(1, 5), { hardState: hard(1, 2) })]);
    writer.write([batchOf([entry(2, 3), entry(2, 4)], { hardState: hard(2, 2) })]);
    for (const journal of [writer, reopen()]) {
      t.same(logOf(journal), ['1/1', '1/2', '2/3', '2/4']);
      t.same(journal.log.termAt(3), 2);
      const [tail] = journal.tails.names;
      const texts = journal.tails
        .read(tail ?? '')
        .records.map((record) => Buffer.from(decodeEntry(record).data).toString());
      t.same(texts, ['1/3', '1/4', '1/5']);
    }
  },
);

t.test('a state takes the place of the whole log', async (t) => {
  const { writer, reopen, directory } = open(t);
  writer.write([batchOf(numbered(1, 9), { hardState: hard(1, 3) })]);
  const membership = membershipOf({ voters: ['a', 'b', 'c'] });
  const snapshot = { index: 100, term: 4, membership };
  writer.write([batchOf([entry(4, 101)], { snapshot, hardState: hard(4, 100) })]);
  for (const journal of [writer, reopen()]) {
    const placed = { index: 100, membership };
    t.match(journal.log, { base: { index: 100, term: 4 }, lastIndex: 101, placed });
    t.same(logOf(journal), ['4/101']);
  }
  t.equal(segmentsOf(directory).length, 1);
});

t.test('segments below the floor are dropped, and the rest is still there', async (t) => {
  const { writer, reopen, directory } = open(t, 200);
  for (let index = 1; index <= 40; index += 1) writer.write([batchOf([entry(1, index)])]);
  const before = segmentsOf(directory).length;
  writer.compact(30);
  t.ok(segmentsOf(directory).length < before);
  for (const journal of [writer, reopen()]) {
    t.ok(journal.log.base.index < 30 && journal.log.base.index > 10);
    t.equal(journal.log.lastIndex, 40);
    t.equal(logOf(journal).at(-1), '1/40');
  }
});

t.test('commands that begin with the tag are told at the start', async (t) => {
  const { writer, reopen } = open(t);
  const tagged = Buffer.from([TAG, 7]);
  writer.write([batchOf([entry(1, 1), entry(1, 2, tagged), entry(1, 3), entry(1, 4, tagged)])]);
  writer.write([batchOf([entry(2, 4)])]);
  t.same(reopen().log.tagged, [2]);
});

t.test('a configuration outlives the segment of the entry that it stems from', async (t) => {
  const { writer, reopen } = open(t, 200);
  const change = { term: 1, index: 3, kind: 'config' as const, data: Buffer.from('change') };
  writer.write([batchOf([...numbered(1, 2), change], { hardState: hard(1, 0) })]);
  t.same(writer.log.configs, [3]);
  const placed = { index: 3, membership: membershipOf({ voters: ['a', 'b'] }) };
  writer.write([batchOf([], { hardState: hard(1, 3), membership: placed })]);
  for (let index = 4; index <= 40; index += 1) writer.write([batchOf([entry(1, index)])]);
  writer.compact(30);
  for (const journal of [writer, reopen()]) {
    t.same(journal.log.placed, placed);
    t.same(journal.log.configs, [], 'the entry itself is gone');
  }
});

t.test('a change of the configuration that was replaced is told no more', async (t) => {
  const { writer, reopen } = open(t);
  const change = { term: 1, index: 2, kind: 'config' as const, data: Buffer.from('change') };
  writer.write([batchOf([entry(1, 1), change], { hardState: hard(1, 0) })]);
  t.same(reopen().log.configs, [2]);
  writer.write([batchOf([entry(2, 2)], { hardState: hard(2, 0) })]);
  t.same(reopen().log.configs, []);
});

t.test('a tail that a crash tore off counts for nothing, wherever it is cut', async (t) => {
  const { writer, directory } = open(t);
  writer.write([batchOf(numbered(1, 3), { hardState: hard(1, 0) })]);
  const [path = ''] = segmentsOf(directory);
  const whole = readFileSync(path).length;
  writer.write([batchOf(numbered(4, 6), { hardState: hard(1, 3) })]);
  const bytes = readFileSync(path);
  for (let cut = whole; cut < bytes.length - 12; cut += 1) {
    const copy = t.testdir({ journal: {} });
    const torn = join(copy, 'journal', '0000000001.segment');
    writeFileSync(torn, bytes.subarray(0, cut));
    const options = { directory: join(copy, 'journal'), segmentBytes: 1 << 20, tag: TAG };
    const again = new JournalWriter(new FaultyFiles(), options);
    t.equal(again.log.damage, undefined, `cut at ${cut}`);
    t.equal(again.log.lastIndex, 3, `cut at ${cut}`);
  }
});

t.test('zeros behind the end are a torn tail', async (t) => {
  const { writer, directory, reopen } = open(t);
  writer.write([batchOf(numbered(1, 3))]);
  appendFileSync(segmentsOf(directory)[0] ?? '', Buffer.alloc(4096));
  const again = reopen();
  t.equal(again.log.damage, undefined);
  t.equal(again.log.lastIndex, 3);
});

t.test(
  'a full disk leaves the log as it was, and the same batches can be written later',
  async (t) => {
    const { writer, files, reopen } = open(t);
    writer.write([batchOf(numbered(1, 2))]);
    const batches = [batchOf(numbered(3, 4)), batchOf([entry(1, 5, 'x'.repeat(5000))])];
    files.spaceLeft = 300;
    t.throws(() => writer.write(batches), { message: /no space.*ENOSPC/ });
    t.equal(writer.log.lastIndex, 2);
    t.equal(reopen().log.lastIndex, 2);
    files.spaceLeft = Number.POSITIVE_INFINITY;
    writer.write(batches);
    t.equal(reopen().log.lastIndex, 5);
  },
);

t.test('a full disk at the beginning of a segment is got over as well', async (t) => {
  const { writer, files, reopen } = open(t, 100);
  writer.write([batchOf(numbered(1, 4))]);
  files.spaceLeft = 10;
  t.throws(() => writer.write([batchOf(numbered(5, 5))]), { message: /no space/ });
  files.spaceLeft = Number.POSITIVE_INFINITY;
  writer.write([batchOf(numbered(5, 5))]);
  t.equal(reopen().log.lastIndex, 5);
});

t.test('a failed sync is the end, whatever its code', async (t) => {
  for (const code of ['EIO', 'ENOSPC']) {
    const { writer, files } = open(t);
    writer.write([batchOf(numbered(1, 1))]);
    files.syncFault = code;
    t.throws(() => writer.write([batchOf(numbered(2, 2))]), { code: 'STORAGE_FAILED' });
  }
});

t.test('a failed write is the end as well', async (t) => {
  const { writer, files } = open(t);
  writer.write([batchOf(numbered(1, 1))]);
  files.writeFault = 'EIO';
  t.throws(() => writer.write([batchOf(numbered(2, 2))]), {
    code: 'STORAGE_FAILED',
    message: /EIO/,
  });
});

t.test('a journal of another version is refused', async (t) => {
  const { writer, directory, reopen } = open(t);
  writer.write([batchOf(numbered(1, 1))]);
  const [path = ''] = segmentsOf(directory);
  t.ok(readFileSync(path).includes('"version":2'));
  const { encodeSegmentHead } = await import('../../src/journal/record.ts');
  const { batchHeader, batchTrailer } = await import('../../src/journal/batch.ts');
  const head = encodeSegmentHead({ version: 9 });
  const frame = [batchHeader({ bodyBytes: head.length, sequence: 0 }), head, batchTrailer(0)];
  writeFileSync(path, Buffer.concat(frame));
  t.throws(() => reopen(), { code: 'DATA_INVALID', message: /version 9.*reads version 2/ });
});

type Step = readonly [kind: 'append' | 'replace' | 'compact' | 'restart', count: number];

/** A journal driven by steps, beside the list of what its log must be. */
class Model {
  readonly #make: () => JournalWriter;
  #writer: JournalWriter;
  #log: string[] = [];
  #term = 1;

  constructor(directory: string) {
    const options = { directory, segmentBytes: 300, tag: TAG };
    this.#make = () => new JournalWriter(new FaultyFiles(), options);
    this.#writer = this.#make();
  }

  take([kind, count]: Step): void {
    const last = this.#log.length;
    if (kind === 'append') this.#put(last + 1, count);
    if (kind === 'compact') this.#writer.compact(last - count - 4);
    if (kind === 'restart') this.#restart();
    if (kind === 'replace' && last - count > this.#writer.log.base.index) {
      this.#term += 1;
      this.#put(last - count + 1, 1);
    }
  }

  isRight(): boolean {
    this.#restart();
    const { base, lastIndex } = this.#writer.log;
    const log = logOf(this.#writer);
    this.#writer.close();
    return lastIndex === this.#log.length && log.join() === this.#log.slice(base.index).join();
  }

  #put(first: number, count: number): void {
    const entries = numbered(first, first + count - 1, this.#term);
    this.#writer.write([batchOf(entries)]);
    this.#log = [...this.#log.slice(0, first - 1), ...entries.map(({ data }) => `${data}`)];
  }

  #restart(): void {
    this.#writer.close();
    this.#writer = this.#make();
  }
}

t.test('after any history a restart finds the log that the model has', async (t) => {
  const kind = fc.constantFrom('append', 'append', 'replace', 'compact', 'restart');
  const steps = fc.array(fc.tuple(kind, fc.integer({ min: 1, max: 5 })), { maxLength: 40 });
  const directory = t.testdir();
  let run = 0;
  fc.assert(
    fc.property(steps as fc.Arbitrary<Step[]>, (history) => {
      run += 1;
      const model = new Model(join(directory, `${run}`));
      for (const step of history) model.take(step);
      return model.isRight();
    }),
    { numRuns: 120 },
  );
  t.pass('120 random histories');
});
