/** Contents out of the journal cost one reading of their entry, not one for each file. */

import { createHash } from 'node:crypto';
import t from 'tap';
import type { Change } from '../../src/replication/command/change.ts';
import { encodeChanges } from '../../src/replication/command/codec.ts';
import { JournalledContents } from '../../src/replication/journalled-contents.ts';

const META = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 1, mtimeNanoseconds: 0 };
const hashOf = (data: Buffer): Buffer => createHash('sha256').update(data).digest();

function put(id: number, text: string): Change {
  const data = Buffer.from(text);
  const chunks = [{ hash: hashOf(data), bytes: data.length }];
  const placed = { volume: 1, id, parent: 1, name: Buffer.from(`${id}`), meta: META };
  return { kind: 'put', ...placed, chunks, data, fuzzy: false };
}

const ENTRIES = new Map<number, readonly Change[]>([
  [7, [put(10, 'first'), put(11, 'second')]],
  [8, [{ kind: 'chunk', hash: hashOf(Buffer.from('piece')), data: Buffer.from('piece') }]],
]);

function journal(): { contents: JournalledContents; reads: number[] } {
  const reads: number[] = [];
  const readJournal = async (from: number) => {
    reads.push(from);
    const changes = ENTRIES.get(from);
    return changes === undefined ? [] : [{ index: from, data: encodeChanges(changes) }];
  };
  return { contents: new JournalledContents({ readJournal }, 12), reads };
}

const textIn = async (contents: JournalledContents, text: string, entry: number) =>
  (await contents.find(hashOf(Buffer.from(text)), entry))?.toString();

t.test('an entry is read once for all its files', async (t) => {
  const { contents, reads } = journal();
  t.equal(await textIn(contents, 'first', 7), 'first');
  t.equal(await textIn(contents, 'second', 7), 'second');
  t.equal(await textIn(contents, 'absent', 7), undefined);
  t.same(reads, [7]);
});

t.test('what was at hand is not read at all', async (t) => {
  const { contents, reads } = journal();
  contents.note(ENTRIES.get(7) ?? [], 7);
  t.equal(await textIn(contents, 'second', 7), 'second');
  t.same(reads, []);
});

t.test('what is kept has a limit, and the oldest goes first', async (t) => {
  const { contents, reads } = journal();
  t.equal(await textIn(contents, 'first', 7), 'first');
  t.equal(await textIn(contents, 'piece', 8), 'piece');
  t.equal(await textIn(contents, 'first', 7), 'first');
  t.same(reads, [7, 8, 7], '11 and 5 bytes do not fit into 12');
});

t.test('an entry that the journal dropped has nothing', async (t) => {
  const { contents } = journal();
  t.equal(await textIn(contents, 'first', 3), undefined);
});
