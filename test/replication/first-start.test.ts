/**
 * The first start of a cluster whose origin has served for years: everybody ends with its
 * tree, it loses nothing, only what differs travels, and what others had of their own is
 * kept aside. Who has too little room is told so before anything is touched.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { compareTrees } from '../../src/cli/demo/tree-compare.ts';
import { walkTree } from '../../src/cli/demo/tree-walk.ts';
import { scratch } from '../support/scratch.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { until } from '../support/until.ts';
import { Group, type GroupNode } from './group.ts';

const BOXES = 50;
const MAILS = 100;
const CHANGED = 100;
const OWN = 50;
const MIB = 1024 * 1024;

const at = (node: GroupNode, path: string): string => join(node.path, path);

function makeMails(node: GroupNode): void {
  for (let box = 0; box < BOXES; box += 1) {
    mkdirSync(at(node, `box${box}`));
    for (let mail = 0; mail < MAILS; mail += 1) {
      const path = at(node, `box${box}/${mail}`);
      writeFileSync(path, `mail ${box}/${mail}\n`.repeat(1 + (mail % 40)));
      utimesSync(path, 1_600_000_000, 1_600_000_000 + mail);
    }
  }
}

// The machine may be busy with other things.
t.setTimeout(120_000);

t.test('5000 files, one older copy and one empty node become equal', async (t) => {
  const where = scratch(t);
  // Where it may be had, a disk of one's own: removing 15000 files can take very long.
  for (const name of ['a', 'b', 'c']) mountSmallDisk(where, join(where.path, name), 128 * MIB);
  const group = new Group(where, ['a', 'b', 'c'], 'in threads');
  const [a, b, c] = [group.of('a'), group.of('b'), group.of('c')];
  makeMails(a);
  makeMails(b);
  const changed = Array.from({ length: CHANGED }, (_, at) => `box${at % BOXES}/${at}`);
  for (const path of changed) writeFileSync(at(b, path), `older version of ${path}`);
  for (let own = 0; own < OWN; own += 1) writeFileSync(at(b, `box${own}/own`), `own ${own}`);
  const before = await walkTree(a.path);
  await group.found('a');
  t.same(compareTrees(before, await walkTree(a.path)).texts, [], 'the origin lost nothing');
  t.same(await group.differences('a', 'b'), [], 'the older copy is equal');
  t.same(await group.differences('a', 'c'), [], 'the empty node is equal');
  for (const node of [a, b, c]) {
    const [volume] = node.running.status.volumes;
    t.equal(volume?.files, BOXES * MAILS);
    t.equal(volume?.treeHash, a.running.status.volumes[0]?.treeHash);
    t.equal(node.running.status.missing, 0);
  }
  const differingBytes = changed.reduce((sum, path) => sum + statSync(at(a, path)).size, 0);
  t.equal(b.running.status.fetchedBytes, differingBytes, 'only what differed travelled');
  t.equal(c.running.status.fetchedBytes, a.running.status.volumes[0]?.bytes);
  t.equal(b.running.status.salvageFiles, CHANGED + OWN);
  const kept = (await b.running.salvage()).flatMap(({ files }) => files.map(({ path }) => path));
  const owns = Array.from({ length: OWN }, (_, own) => `box${own}/own`);
  t.same(new Set(kept), new Set([...changed, ...owns]), 'its own is in salvage');
  t.equal(c.running.status.salvageFiles, 0);
});

t.test('a node with too little room is told both figures, and starts when it has it', async (t) => {
  const where = scratch(t);
  const reason = mountSmallDisk(where, join(where.path, 'b', 'mail'), 8 * MIB);
  if (reason !== undefined) {
    t.plan(0, reason);
    return;
  }
  const group = new Group(where, ['a', 'b']);
  const [a, b] = [group.of('a'), group.of('b')];
  for (let mail = 0; mail < 12; mail += 1) writeFileSync(at(a, `${mail}`), Buffer.alloc(MIB, mail));
  writeFileSync(at(b, 'own'), 'stays until there is room');
  for (const node of [a, b]) await node.start();
  group.leader = 'a';
  group.append(undefined);
  group.decree(await a.running.makeBaseline());
  await until(() => b.running.status.problem !== undefined, 'b is refused');
  const [, need = '', free = ''] =
    /need (\d+) bytes at ".*", there are (\d+)/.exec(b.running.status.problem ?? '') ?? [];
  t.equal(Number(need), 12 * MIB, 'what it needs');
  t.ok(Number(free) > 7 * MIB && Number(free) <= 8 * MIB, `what there is: ${free}`);
  t.equal(b.running.status.mode, 'awaitingBaseline');
  t.same([...(await walkTree(b.path)).keys()], ['own'], 'nothing was touched');
  spawnSync('mount', ['-o', `remount,size=${32 * MIB}`, b.path]);
  await b.caughtUp();
  t.same(await group.differences('a', 'b'), []);
  t.equal(b.running.status.salvageFiles, 1);
});

t.test('room for the journal counts, and what it has taken is not asked for twice', async (t) => {
  const where = scratch(t);
  const reason = mountSmallDisk(where, join(where.path, 'b', 'data'), 64 * MIB);
  if (reason !== undefined) {
    t.plan(0, reason);
    return;
  }
  const group = new Group(where, ['a', 'b']);
  const [a, b] = [group.of('a'), group.of('b')];
  b.journalBytesMax = 80 * MIB;
  for (const node of [a, b]) await node.start();
  group.leader = 'a';
  group.append(undefined);
  group.decree(await a.running.makeBaseline());
  await until(() => b.running.status.problem !== undefined, 'b is refused');
  t.match(b.running.status.problem, `need ${80 * MIB} bytes at`);
  mkdirSync(join(b.dataDir, 'journal'));
  writeFileSync(join(b.dataDir, 'journal', 'segment'), Buffer.alloc(20 * MIB));
  await b.stop();
  b.journalBytesMax = 62 * MIB;
  await b.start();
  group.deliver();
  await b.caughtUp();
  t.equal(b.running.status.problem, undefined);
});
