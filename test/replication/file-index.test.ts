/** The file index: a function of the changes, whose sums always match what it holds. */

import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { FileChange, FileId, Meta } from '../../src/replication/command/change.ts';
import { emptyRoot, FileIndex, GROUP_BYTES } from '../../src/replication/index/file-index.ts';
import { seal, sha256, xorInto } from '../../src/replication/index/records.ts';
import { IndexStore } from '../../src/replication/index/store.ts';

const meta: Meta = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 5, mtimeNanoseconds: 6 };

async function open(t: Test, name = 'index'): Promise<FileIndex> {
  const store = await IndexStore.open(join(t.testdirName, name), GROUP_BYTES);
  t.teardown(() => store.close());
  const index = new FileIndex(store);
  store.beginLayer();
  index.ensureRoot(1, emptyRoot(meta));
  return index;
}

const put = (id: FileId, parent: FileId, name: string, text = name): FileChange => {
  const data = Buffer.from(text);
  const chunks = [{ hash: sha256(data), bytes: data.length }];
  const placed = { volume: 1, id, parent, name: Buffer.from(name) };
  return { kind: 'put', ...placed, meta, chunks, data, fuzzy: false };
};
const mkdir = (id: FileId, parent: FileId, name: string): FileChange => ({
  kind: 'mkdir',
  volume: 1,
  id,
  parent,
  name: Buffer.from(name),
  meta,
});
const rename = (id: FileId, parent: FileId, name: string): FileChange => ({
  kind: 'rename',
  volume: 1,
  id,
  parent,
  name: Buffer.from(name),
});
const remove = (id: FileId): FileChange => ({ kind: 'remove', volume: 1, id });

/** Every path with its kind and size, by walking the index. */
async function listing(index: FileIndex, id: FileId = 0, path = ''): Promise<string[]> {
  const lines: string[] = [];
  for (const child of await index.children(1, id)) {
    const record = index.find(1, child.id);
    const name = `${path}/${child.name.toString()}`;
    lines.push(`${name} ${record?.type === 'file' ? record.bytes : record?.type}`);
    if (record?.type === 'directory') lines.push(...(await listing(index, child.id, name)));
  }
  return lines;
}

/** What a directory's record must be, counted from its children. */
async function recount(
  index: FileIndex,
  id: FileId,
): Promise<{ sum: Buffer; files: number; bytes: number; isRight: boolean }> {
  const total = { sum: Buffer.alloc(32), files: 0, bytes: 0, isRight: true };
  const children = await index.children(1, id);
  for (const child of children) {
    const record = index.find(1, child.id);
    if (record === undefined) return { ...total, isRight: false };
    let counted = record;
    if (record.type === 'directory') {
      const below = await recount(index, child.id);
      total.files += below.files;
      total.bytes += below.bytes;
      total.isRight &&= below.isRight;
      counted = seal(child.id, { ...record, ...below });
    }
    if (record.type === 'file') {
      total.files += 1;
      total.bytes += record.bytes;
    }
    total.isRight &&= counted.leaf.equals(record.leaf);
    xorInto(total.sum, counted.leaf);
  }
  const own = index.getDirectory(1, id);
  const isRight =
    own.sum.equals(total.sum) &&
    own.entries === children.length &&
    own.files === total.files &&
    own.bytes === total.bytes;
  return { ...total, isRight: total.isRight && isRight };
}

t.test('changes are seen by path, and removed ones are not', async (t) => {
  t.testdir();
  const index = await open(t);
  for (const change of [
    mkdir(1, 0, 'inbox'),
    put(2, 1, 'a.eml', 'hello'),
    put(3, 0, 'top'),
    rename(2, 1, 'b.eml'),
    rename(1, 0, 'outbox'),
    remove(3),
  ]) {
    index.apply(change);
  }
  index.settleSums();
  t.same(await listing(index), ['/outbox directory', '/outbox/b.eml 5']);
  t.same(index.pathOf(1, 2).map(String), ['outbox', 'b.eml']);
  t.match(index.getDirectory(1, 0), { files: 1, bytes: 5, entries: 1 });
});

t.test('a name that is taken again replaces what had it, and says so', async (t) => {
  t.testdir();
  const index = await open(t);
  index.apply(put(1, 0, 'mrk', 'old'));
  const effect = index.apply(put(2, 0, 'mrk', 'newer'));
  t.match(effect, { replaced: { id: 1 }, before: undefined, after: { bytes: 5 } });
  t.equal(index.find(1, 1), undefined);
  t.equal(index.lookUp(1, 0, Buffer.from('mrk')), 2);
});

t.test('a directory that is not empty can not be removed by a log that is right', async (t) => {
  t.testdir();
  const index = await open(t);
  index.apply(mkdir(1, 0, 'd'));
  index.apply(put(2, 1, 'f'));
  t.throws(() => index.apply(remove(1)), { code: 'DATA_INVALID' });
});

t.test('after any changes the sums are those of a fresh count', async (t) => {
  t.testdir();
  const step = fc.record({
    kind: fc.constantFrom('put', 'mkdir', 'rename', 'remove', 'settle', 'flush'),
    pick: fc.nat(1000),
    into: fc.nat(1000),
    name: fc.constantFrom('a', 'b', 'c', 'd'),
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      run += 1;
      const index = await open(t, `run-${run}`);
      const nodes = new Map<FileId, 'file' | 'directory'>([[0, 'directory']]);
      let lastId = 0;
      const isBelow = (id: FileId, ancestor: FileId): boolean =>
        id === ancestor || (id !== 0 && isBelow(index.find(1, id)?.parent ?? 0, ancestor));
      const isFree = (parent: FileId, name: string) =>
        index.lookUp(1, parent, Buffer.from(name)) === undefined;
      for (const { kind, pick, into, name } of steps) {
        const ids = [...nodes.keys()];
        const directories = ids.filter((id) => nodes.get(id) === 'directory');
        const id = ids[pick % ids.length] ?? 0;
        const parent = directories[into % directories.length] ?? 0;
        if ((kind === 'put' || kind === 'mkdir') && isFree(parent, name)) {
          lastId += 1;
          index.apply(kind === 'put' ? put(lastId, parent, name) : mkdir(lastId, parent, name));
          nodes.set(lastId, kind === 'put' ? 'file' : 'directory');
        }
        if (kind === 'rename' && id !== 0 && !isBelow(parent, id) && isFree(parent, name)) {
          index.apply(rename(id, parent, name));
        }
        const record = index.find(1, id);
        const isEmpty = record?.type !== 'directory' || record.entries === 0;
        if (kind === 'remove' && id !== 0 && isEmpty) {
          index.apply(remove(id));
          nodes.delete(id);
        }
        if (kind === 'settle') index.settleSums();
        if (kind === 'flush') {
          index.settleSums();
          index.store.commitThrough(Number.POSITIVE_INFINITY);
          await index.store.flush(false);
          index.store.beginLayer();
        }
      }
      index.settleSums();
      return (await recount(index, 0)).isRight;
    }),
    { numRuns: 60 },
  );
  t.pass('60 random histories');
});

t.test('layers that were not committed are thrown away as a whole', async (t) => {
  t.testdir();
  const index = await open(t);
  index.apply(put(1, 0, 'kept'));
  index.settleSums();
  const committed = index.store.beginLayer() - 1;
  index.store.commitThrough(committed);
  index.apply(put(2, 0, 'lost'));
  index.apply(remove(1));
  index.settleSums();
  index.store.rollback();
  t.same(await listing(index), ['/kept 4']);
  await index.store.flush(true);
  t.same(await listing(index), ['/kept 4']);
  t.ok((await recount(index, 0)).isRight);
});

t.test('what was flushed is there after the store was closed', async (t) => {
  t.testdir();
  const index = await open(t);
  index.apply(mkdir(1, 0, 'd'));
  index.apply(put(2, 1, 'f'));
  index.settleSums();
  index.store.commitThrough(Number.POSITIVE_INFINITY);
  const position = Buffer.from('xposition');
  await index.store.flush(true, () => [[position, Buffer.from('77')]]);
  const hash = index.getDirectory(1, 0).leaf;
  await index.store.close();
  const store = await IndexStore.open(join(t.testdirName, 'index'), GROUP_BYTES);
  t.teardown(() => store.close());
  const again = new FileIndex(store);
  t.same(await listing(again), ['/d directory', '/d/f 1']);
  t.equal(store.get(position)?.toString(), '77');
  t.ok(again.getDirectory(1, 0).leaf.equals(hash));
});
