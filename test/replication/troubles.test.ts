/**
 * Disks that are full or broken, and followers that someone meddled with: what passes is
 * waited for and caught up, what does not ends replication, and nothing is lost.
 */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { SalvageStore } from '../../src/replication/salvage/salvage-store.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { fill, makeUnreadable, mountSmallDisk } from '../support/small-disk.ts';
import { until } from '../support/until.ts';
import { Group, type GroupNode, type Hosting } from './group.ts';

const MIB = 1024 * 1024;

interface Founded {
  readonly group: Group;
  readonly a: GroupNode;
  readonly b: GroupNode;
}

const at = (node: GroupNode, path: string): string => join(node.path, path);

/** Two nodes, of which the first is primary. */
async function founded(where: Scratch, hosting: Hosting = 'in process'): Promise<Founded> {
  const group = new Group(where, ['a', 'b'], hosting);
  const [a, b] = [group.of('a'), group.of('b')];
  await group.found('a');
  await group.serve('a');
  return { group, a, b };
}

async function equal(t: Test, { group, a, b }: Founded, message: string): Promise<void> {
  t.same(await group.differences('a', 'b'), [], message);
  const hashes = [a, b].map((node) => node.running.status.volumes[0]?.treeHash);
  t.equal(hashes[0], hashes[1], `${message}: equal hashes`);
  t.equal(b.running.status.missing, 0, `${message}: nothing missing`);
}

t.test('a full volume on a follower is waited for, and caught up when there is room', async (t) => {
  const where = scratch(t);
  const reason = mountSmallDisk(where, join(where.path, 'b', 'mail'), 16 * MIB);
  if (reason !== undefined) {
    t.plan(0, reason);
    return;
  }
  const both = await founded(where, 'in threads');
  const { group, a, b } = both;
  mkdirSync(at(a, 'new'));
  writeFileSync(at(a, 'new/small'), 'before');
  await group.covered();
  const free = fill(join(b.path, '.mailraft'), 700_000);
  writeFileSync(at(a, 'new/small'), 'after');
  for (let mail = 0; mail < 10; mail += 1) {
    writeFileSync(at(a, `new/${mail}`), Buffer.alloc(300_000, mail + 1));
  }
  await a.running.barrier();
  await until(() => b.running.status.problem !== undefined, 'b says what it waits for');
  t.match(b.running.status.problem, /ENOSPC/);
  t.ok(b.running.status.state.position.index < group.committed, 'and has not passed it over');
  t.equal(b.running.status.mode, 'following');
  free();
  await b.caughtUp();
  t.equal(b.running.status.problem, undefined, 'and waits for nothing any more');
  await equal(t, both, 'after there is room');
  t.equal(b.running.status.salvageFiles, 0);
});

t.test('a node that is stopped while its volume is full starts and goes on', async (t) => {
  const where = scratch(t);
  const reason = mountSmallDisk(where, join(where.path, 'b', 'mail'), 16 * MIB);
  if (reason !== undefined) {
    t.plan(0, reason);
    return;
  }
  const both = await founded(where);
  const { group, a, b } = both;
  const free = fill(join(b.path, '.mailraft'), 0);
  for (let mail = 0; mail < 5; mail += 1) writeFileSync(at(a, `${mail}`), Buffer.alloc(200_000));
  await a.running.barrier();
  await until(() => b.running.status.problem !== undefined, 'b says what it waits for');
  await b.stop();
  await b.start();
  b.running.settle(group.committed, 'away');
  group.deliver();
  await until(() => b.running.status.problem !== undefined, 'b waits again');
  free();
  await b.caughtUp();
  await equal(t, both, 'after there is room');
  t.equal(b.running.status.salvageFiles, 0);
});

t.test('a full data directory holds up neither apply nor capture for good', async (t) => {
  const where = scratch(t);
  for (const name of ['a', 'b']) {
    const reason = mountSmallDisk(where, join(where.path, name, 'data'), 96 * MIB);
    if (reason !== undefined) {
      t.plan(0, reason);
      return;
    }
  }
  const both = await founded(where);
  const { group, a, b } = both;
  const frees = [a, b].map((node) => fill(node.dataDir, 4 * MIB));
  for (let mail = 0; mail < 50; mail += 1) writeFileSync(at(a, `${mail}`), `mail ${mail}`);
  await group.covered();
  for (const node of [a, b]) {
    await until(() => node.running.status.problem !== undefined, `${node.name} says so`);
    t.match(node.running.status.problem, /free/);
  }
  await equal(t, both, 'while there is no room for the index');
  for (const free of frees) free();
  for (const node of [a, b]) {
    await node.running.sync();
    const { state, problem } = node.running.status;
    t.equal(state.synced, state.position.index, `${node.name} has written everything`);
    t.equal(problem, undefined);
  }
});

t.test('salvage that finds no room is waited for, before anything is overwritten', async (t) => {
  const where = scratch(t);
  const reason = mountSmallDisk(where, join(where.path, 'a', 'data'), 80 * MIB);
  if (reason !== undefined) {
    t.plan(0, reason);
    return;
  }
  const { group, a } = await founded(where);
  await a.stop();
  writeFileSync(at(a, 'lost'), Buffer.alloc(36 * MIB, 'lost'));
  await group.depose();
  await group.elect('b');
  const free = fill(a.dataDir, 34 * MIB);
  await a.start();
  a.running.settle(group.committed, 'deposed');
  group.deliver();
  await until(() => /ENOSPC/.test(a.running.status.problem ?? ''), 'a says what it waits for');
  t.equal(a.running.status.mode, 'unsettled');
  t.equal(a.running.status.salvageFiles, 0);
  t.same(await group.differences('a', 'b'), ['"lost": only in the first']);
  free();
  await a.caughtUp();
  t.same(await group.differences('a', 'b'), []);
  const [kept] = await a.running.salvage();
  t.match(kept?.files, [{ path: 'lost', bytes: 36 * MIB }]);
});

t.test('a long file that was proposed in vain is kept once', async (t) => {
  const { group, a } = await founded(scratch(t));
  group.commits = false;
  writeFileSync(at(a, 'lost'), Buffer.alloc(MIB, 'lost'));
  await a.running.barrier();
  await group.depose();
  await group.elect('b');
  await a.caughtUp();
  t.same(await group.differences('a', 'b'), []);
  t.equal(a.running.status.salvageFiles, 1);
});

t.test('a file that can not be read ends replication on the node', async (t) => {
  const where = scratch(t);
  const { group, a, b } = await founded(where, 'in threads');
  writeFileSync(at(a, 'empty'), '');
  await group.covered();
  await b.stop();
  b.failures = [];
  const reason = makeUnreadable(where, at(b, 'empty'));
  if (reason !== undefined) {
    t.plan(0, reason);
    return;
  }
  await b.start();
  b.running.settle(group.committed, 'away');
  group.deliver();
  await until(() => (b.failures ?? []).length > 0, 'b fails');
  t.match(b.failures, [{ code: 'STORAGE_FAILED', message: /EIO/ }]);
});

t.test('a directory that someone removed on a follower comes back', async (t) => {
  const both = await founded(scratch(t));
  const { group, a, b } = both;
  mkdirSync(at(a, 'box/deep'), { recursive: true });
  for (let mail = 0; mail < 5; mail += 1) writeFileSync(at(a, `box/deep/${mail}`), `mail ${mail}`);
  await group.covered();
  rmSync(at(b, 'box'), { recursive: true });
  writeFileSync(at(a, 'box/deep/5'), 'mail 5');
  await group.covered();
  await equal(t, both, 'after the next mail');
});

t.test('a directory that someone made on a follower gives way, and is kept', async (t) => {
  const both = await founded(scratch(t));
  const { group, a, b } = both;
  mkdirSync(at(b, 'box'));
  writeFileSync(at(b, 'box/own'), 'of the follower');
  mkdirSync(at(a, 'box'));
  writeFileSync(at(a, 'box/mail'), 'of the primary');
  await group.covered();
  await equal(t, both, 'after the primary made the same');
  const [kept] = await b.running.salvage();
  t.match(kept?.files, [{ path: 'box/own' }]);
});

t.test('a long file whose first pieces came before the state was fetched is there', async (t) => {
  const both = await founded(scratch(t));
  const { group, a, b } = both;
  group.commits = false;
  writeFileSync(at(a, 'long'), Buffer.alloc(3 * MIB, 'long'));
  for (let piece = 0; piece < 6; piece += 1) {
    writeFileSync(at(a, `long${piece}`), Buffer.alloc(MIB, piece));
  }
  await a.running.barrier();
  const first = group.committed + 2;
  t.ok(group.log.length > first, 'the file takes several entries');
  group.committed = first;
  group.deliver();
  await until(() => a.running.status.state.position.index === first, 'a has taken the pieces');
  b.running.needState();
  await until(() => b.events.filter(({ kind }) => kind === 'resynced').length > 1, 'b fetches');
  // What was before the fetch is in no journal of b's.
  b.journalFrom = first + 1;
  group.commits = true;
  group.committed = group.log.length;
  await group.of('a').caughtUp();
  await b.caughtUp();
  await until(() => b.running.status.missing === 0, 'b has every content');
  await equal(t, both, 'after the rest of the log');
});

t.test('a member that asks for the state again and again holds one session', async (t) => {
  const { a } = await founded(scratch(t));
  const open = async (from: string): Promise<number> => {
    const answer = (await a.running.answer('resync.open', {}, from)) as { session: number };
    return answer.session;
  };
  const sessions: number[] = [];
  for (let attempt = 0; attempt < 20; attempt += 1) sessions.push(await open('b'));
  const other = await open('c');
  const list = (session: number | undefined, from: string): Promise<unknown> =>
    a.running.answer('resync.list', { session, volume: 1, directory: 1 }, from);
  await t.rejects(list(sessions[0], 'b'), { code: 'NOT_FOUND' }, 'what it gave up is gone');
  await t.rejects(list(other, 'b'), { code: 'NOT_FOUND' }, 'and of no use to another member');
  t.match(await list(sessions.at(-1), 'b'), { isLast: true });
  t.match(await list(other, 'c'), { isLast: true });
});

t.test('salvage is counted without reading it again, and not before it is complete', (t) => {
  const store = new SalvageStore(join(scratch(t).path, 'salvage'), 'a');
  const meta = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 1, mtimeNanoseconds: 0 };
  const names = [Buffer.from('f')];
  const origin = { volume: 'mail', names, type: 'file', meta, reason: 'test' } as const;
  const salvage = store.begin(1, 'test');
  salvage.add(origin, [Buffer.from('kept')]);
  t.equal(store.count, 0);
  t.same(store.list(), []);
  salvage.finish();
  t.equal(store.count, 1);
  salvage.discard();
  t.equal(store.list().length, 1, 'what is complete is not given up');
  t.end();
});
