/** The journal with its thread: the storage contract of consensus over a real disk. */

import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Entry } from '../../src/consensus/core/types.ts';
import type { StorageBatch } from '../../src/consensus/host/storage.ts';
import { realFiles } from '../../src/journal/files.ts';
import { Journal } from '../../src/journal/journal.ts';
import { JournalWriter } from '../../src/journal/journal-writer.ts';
import { entry, hard, TAG } from './batches.ts';

async function open(t: Test, directory: string, cacheBytes = 1 << 20): Promise<Journal> {
  const journal = await Journal.open({ directory, segmentBytes: 1 << 16, tag: TAG, cacheBytes });
  t.teardown(() => journal.close());
  return journal;
}

const batch = (entries: readonly Entry[], rest: Partial<StorageBatch> = {}): StorageBatch => ({
  hardState: undefined,
  entries,
  snapshot: undefined,
  promiseMs: undefined,
  mustSync: true,
  ...rest,
});

const stored = (journal: Journal, given: StorageBatch): Promise<void> =>
  new Promise((resolve) => journal.append(given, resolve));

t.test('the view shows a batch with the report that it is stored, not before', async (t) => {
  const journal = await open(t, join(t.testdir(), 'j'));
  const done = stored(journal, batch([entry(1, 1), entry(1, 2)]));
  t.equal(journal.lastIndex, 0);
  await done;
  t.equal(journal.lastIndex, 2);
  t.equal(journal.termAt(2), 1);
  t.same(
    journal.entries(1, 3, 1 << 20)?.map(({ index }) => index),
    [1, 2],
  );
});

t.test('batches are reported in the order in which they were given', async (t) => {
  const journal = await open(t, join(t.testdir(), 'j'));
  const order: number[] = [];
  const all = Array.from({ length: 50 }, (_, at) =>
    stored(journal, batch([entry(1, at + 1)], { mustSync: at % 3 === 0 })).then(() =>
      order.push(at),
    ),
  );
  await Promise.all(all);
  t.same(
    order,
    [...order].sort((a, b) => a - b),
  );
  t.equal(journal.lastIndex, 50);
});

t.test('entries that are not at hand are fetched, and told of', async (t) => {
  const journal = await open(t, join(t.testdir(), 'j'), 100);
  await stored(journal, batch(Array.from({ length: 100 }, (_, at) => entry(1, at + 1))));
  const loaded = new Promise<void>((onLoaded) =>
    journal.subscribe({ onLoaded, onCondition: () => undefined, onFailed: t.fail }),
  );
  t.equal(journal.entries(10, 20, 1 << 20), undefined);
  await loaded;
  const found = journal.entries(10, 20, 1 << 20);
  t.same(
    found?.map(({ data }) => Buffer.from(data).toString()),
    [...Array.from({ length: 10 }, (_, at) => `1/${at + 10}`)],
  );
});

t.test('a restart finds hard state, promise, entries and tagged commands', async (t) => {
  const directory = join(t.testdir(), 'j');
  const journal = await open(t, directory);
  const tagged = entry(3, 2, Buffer.from([TAG, 1, 2]));
  await stored(journal, batch([entry(3, 1), tagged], { hardState: hard(3, 1, 'c') }));
  await stored(journal, batch([], { promiseMs: 6000 }));
  await journal.close();
  const again = await open(t, directory);
  t.match(again.hardState, { term: 3, commit: 1, vote: 'c' });
  t.equal(again.promiseMs, 6000);
  t.same(
    again.taggedEntries.map(({ index }) => index),
    [2],
  );
  t.same(
    (await again.read(1, 3, 1 << 20)).map(({ term }) => term),
    [3, 3],
  );
});

t.test('what a new leader replaced can be asked for, and forgotten', async (t) => {
  const journal = await open(t, join(t.testdir(), 'j'));
  await stored(journal, batch([entry(1, 1), entry(1, 2), entry(1, 3)]));
  await stored(journal, batch([entry(2, 2)]));
  const [tail] = await journal.tails();
  t.same(
    tail?.entries.map(({ term, index }) => `${term}/${index}`),
    ['1/2', '1/3'],
  );
  await journal.removeTail(tail?.name ?? '');
  t.same(await journal.tails(), []);
});

t.test('a commit index by itself is done at once, and outlives the entries after it', async (t) => {
  const directory = join(t.testdir(), 'j');
  const journal = await open(t, directory);
  await stored(journal, batch([entry(3, 1)], { hardState: hard(3, 0, 'c') }));
  let isDone = false;
  const alone = batch([], { hardState: hard(3, 1, 'c'), mustSync: false });
  journal.append(alone, () => {
    isDone = true;
  });
  t.ok(isDone, 'nothing has to be waited for');
  await stored(journal, batch([entry(3, 2)]));
  const now = new JournalWriter(realFiles, { directory, segmentBytes: 1 << 16, tag: TAG });
  t.match(now.log.hardState, { term: 3, commit: 1, vote: 'c' }, 'durable with the next entries');
  now.close();
  await journal.close();
});

t.test('a commit index by itself does not overtake what was given before it', async (t) => {
  const directory = join(t.testdir(), 'j');
  const journal = await open(t, directory);
  const order: string[] = [];
  const entries = stored(journal, batch([entry(1, 1)])).then(() => order.push('entries'));
  const alone = batch([], { hardState: hard(1, 1), mustSync: false });
  const commit = stored(journal, alone).then(() => order.push('commit'));
  await Promise.all([entries, commit]);
  t.same(order, ['entries', 'commit']);
  await journal.close();
  const again = await open(t, directory);
  t.equal(again.hardState.commit, 1, 'an orderly end loses nothing');
});
