/** What a node begins with, when journal and files do not tell the same. */

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import type { Entry, HardState } from '../../src/consensus/core/types.ts';
import { NOTHING_TO_STORE, type StorageBatch } from '../../src/consensus/host/storage.ts';
import { hostStart, mendJournal, readTenure } from '../../src/daemon/log-start.ts';
import { Journal } from '../../src/journal/journal.ts';
import { DECREE_TAG, encodeChanges, encodeDecree } from '../../src/replication/command/codec.ts';
import type { Decree } from '../../src/replication/command/decree.ts';
import { type CommittedState, EMPTY_STATE } from '../../src/replication/committed-state.ts';
import { scratch } from '../support/scratch.ts';

const MEMBERSHIP = membershipOf({ voters: ['n1', 'n2', 'n3'] });
const TENURE = { kind: 'tenure', term: 1, holder: 'n1' } as const;
const HANDOVER = {
  kind: 'handover',
  term: 1,
  holder: 'n1',
  to: 'n2',
  cause: 'switchover',
} as const;

const command = (index: number, data: Uint8Array): Entry => ({
  index,
  term: 1,
  kind: 'command',
  data,
});
const decree = (index: number, value: Decree): Entry => command(index, encodeDecree(value));
const noop = (index: number): Entry => ({ index, term: 1, kind: 'noop', data: Buffer.alloc(0) });
const appliedTo = (index: number, rest: Partial<CommittedState> = {}): CommittedState => ({
  ...EMPTY_STATE,
  position: { index, term: 1 },
  ...rest,
});

/** A journal of these entries, opened anew after it was written. */
async function journalOf(
  t: Test,
  entries: readonly Entry[],
  hardState: HardState | undefined = undefined,
): Promise<Journal> {
  const directory = join(scratch(t).path, 'journal');
  const written = await open(directory);
  if (entries.length > 0) {
    await new Promise<void>((resolve) =>
      written.append(
        { hardState, entries, snapshot: undefined, promiseMs: 4500, mustSync: true },
        resolve,
      ),
    );
  }
  await written.close();
  const journal = await open(directory);
  t.teardown(() => journal.close());
  return journal;
}

function open(directory: string): Promise<Journal> {
  return Journal.open({ directory, segmentBytes: 1 << 20, tag: DECREE_TAG, cacheBytes: 1 << 20 });
}

const STANDING = { membership: MEMBERSHIP, isMuted: false };

t.test('tenure records are read out of decrees, and nothing else is', (t) => {
  t.match(readTenure(decree(1, TENURE)), TENURE);
  t.match(readTenure(decree(1, HANDOVER)), HANDOVER);
  t.equal(readTenure(decree(1, { kind: 'barrier', id: 3 })), undefined);
  t.equal(readTenure(command(1, encodeChanges([]))), undefined);
  t.equal(readTenure(noop(1)), undefined);
  t.end();
});

t.test('an empty node begins at nothing', async (t) => {
  const start = hostStart(await journalOf(t, []), EMPTY_STATE, STANDING);
  t.match(start, { applied: 0, hardState: { term: 0, commit: 0 }, longestPromiseMs: 0 });
  t.same(start.tenureRecords, []);
  t.same(start.membership, MEMBERSHIP);
});

t.test('term, vote and promise are those of the journal', async (t) => {
  const hardState = { term: 7, vote: 'n2', commit: 2 };
  const journal = await journalOf(t, [noop(1), decree(2, TENURE), noop(3)], hardState);
  const start = hostStart(journal, appliedTo(1), STANDING);
  t.match(start, { hardState: { term: 7, vote: 'n2', commit: 2 }, applied: 1 });
  t.equal(start.longestPromiseMs, 4500);
});

t.test('what is applied is committed, and no commit is beyond the journal', async (t) => {
  const entries = [noop(1), noop(2), noop(3)];
  const behind = await journalOf(t, entries, { term: 1, vote: '', commit: 1 });
  t.equal(hostStart(behind, appliedTo(3), STANDING).hardState.commit, 3);
  t.equal(hostStart(behind, appliedTo(0), STANDING).hardState.commit, 1);
  const ahead = await journalOf(t, entries, { term: 1, vote: '', commit: 9 });
  t.equal(hostStart(ahead, appliedTo(2), STANDING).hardState.commit, 3);
});

t.test('records of the log come after the last applied one, which is never twice', async (t) => {
  const journal = await journalOf(t, [noop(1), decree(2, TENURE), decree(3, HANDOVER)]);
  const placed = (state: CommittedState) =>
    hostStart(journal, state, STANDING).tenureRecords.map(({ index, record }) => [
      index,
      record.kind,
    ]);
  const ofLog = [
    [2, 'tenure'],
    [3, 'handover'],
  ];
  t.same(placed(EMPTY_STATE), ofLog);
  t.same(placed(appliedTo(2, { tenure: { index: 2, record: TENURE } })), ofLog);
  const compacted = await journalOf(t, [noop(1)]);
  const applied = appliedTo(1, { tenure: { index: 1, record: HANDOVER } });
  t.match(hostStart(compacted, applied, STANDING).tenureRecords, [{ index: 1, record: HANDOVER }]);
});

t.test('a journal that ends before what is applied begins there, and may not vote', async (t) => {
  const journal = await journalOf(t, [noop(1), noop(2)], { term: 1, vote: 'n3', commit: 2 });
  t.equal(await mendJournal(journal, appliedTo(5), MEMBERSHIP), true);
  t.same([journal.firstIndex, journal.lastIndex, journal.termAt(5)], [6, 5, 1]);
  const start = hostStart(journal, appliedTo(5), STANDING);
  t.match(start, { applied: 5, hardState: { commit: 5, vote: 'n3' } });
});

t.test('a journal that begins anew keeps what it knew of the configuration', async (t) => {
  const directory = join(scratch(t).path, 'journal');
  const store = (journal: Journal, batch: Partial<StorageBatch>) =>
    new Promise<void>((resolve) => {
      journal.append({ ...NOTHING_TO_STORE, ...batch, mustSync: true }, resolve);
    });
  const first = await open(directory);
  const placed = { index: 9, membership: MEMBERSHIP };
  await store(first, { entries: [noop(1)], hardState: { term: 1, vote: '', commit: 1 } });
  await store(first, { membership: placed });
  await first.close();
  const damaged = await open(directory);
  t.equal(await mendJournal(damaged, appliedTo(5), damaged.placed.membership), true);
  await damaged.close();
  const mended = await open(directory);
  t.teardown(() => mended.close());
  t.same(mended.placed, placed, 'it is newer than the state that the journal begins with');
});

t.test('a journal that reaches as far as the files is left as it is, and votes', async (t) => {
  const journal = await journalOf(t, [noop(1), noop(2)]);
  t.equal(await mendJournal(journal, appliedTo(2), MEMBERSHIP), false);
  t.same([journal.firstIndex, journal.lastIndex], [1, 2]);
});
