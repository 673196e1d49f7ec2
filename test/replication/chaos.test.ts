/**
 * Whatever is done in a volume, in whatever order, is in its copy after a barrier; and
 * whatever was done in an old primary's when nobody looked gives way, and is kept.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { walkTree } from '../../src/cli/demo/tree-walk.ts';
import { scratch } from '../support/scratch.ts';
import { Group } from './group.ts';
import { Pair } from './pair.ts';
import { randomFrom, Vandal } from './vandal.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 4);
const FIRST = Number(process.env['SEED'] ?? 1 + Math.floor(Math.random() * 2 ** 30));
const ROUNDS = Number(process.env['ROUNDS'] ?? 6);
const OPERATIONS = Number(process.env['OPERATIONS'] ?? 150);

// The machine may be busy with other things.
t.setTimeout(120_000);

for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
  t.test(`a copy is equal after each barrier, SEED=${seed}`, async (t) => {
    const random = randomFrom(seed);
    const pair = await Pair.open(t);
    const vandal = new Vandal(pair.primary.path, random);
    for (const name of ['d0', 'd1', 'd0/d2']) mkdirSync(join(pair.primary.path, name));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let at = 0; at < OPERATIONS; at += 1) {
        vandal.act();
        // In every other round capture looks while things change.
        if (round % 2 === 1 && random(4) === 0) await setImmediate();
      }
      t.same(await pair.settle(), [], `round ${round}: all covered`);
      t.same(await pair.differences(), [], `round ${round}: equal trees`);
      t.equal(pair.primary.treeHash, pair.follower.treeHash, `round ${round}: equal hashes`);
    }
  });
}

async function contentsOf(root: string): Promise<ReadonlySet<string>> {
  const tree = await walkTree(root);
  return new Set([...tree.values()].flatMap(({ type, sha256 }) => (type === 'file' ? sha256 : [])));
}

for (let seed = FIRST; seed < FIRST + SEEDS / 2; seed += 1) {
  t.test(`an old primary follows and loses nothing, SEED=${seed}`, async (t) => {
    const random = randomFrom(seed);
    const group = new Group(scratch(t), ['a', 'b']);
    const [a, b] = [group.of('a'), group.of('b')];
    const [onA, onB] = [new Vandal(a.path, random, 'a'), new Vandal(b.path, random, 'b')];
    for (const name of ['d0', 'd1', 'd0/d2']) mkdirSync(join(a.path, name));
    await group.found('a');
    await group.serve('a');
    for (let at = 0; at < OPERATIONS; at += 1) onA.act();
    await group.covered();
    group.commits = false;
    for (let at = 0; at < OPERATIONS / 3; at += 1) onA.act();
    await a.running.barrier();
    const committed = await contentsOf(b.path);
    await a.stop();
    for (let at = 0; at < OPERATIONS; at += 1) onA.act();
    const own = await contentsOf(a.path);
    await group.depose();
    await group.elect('b');
    await group.serve('b');
    for (let at = 0; at < OPERATIONS; at += 1) onB.act();
    await group.covered();
    await a.start();
    a.running.settle(group.committed, 'deposed');
    await a.caughtUp();
    t.same(await group.differences('a', 'b'), [], 'equal trees');
    t.equal(a.running.status.missing, 0, 'nothing missing');
    const kept = (await a.running.salvage()).flatMap(({ files }) => files);
    const keptContents = new Set(kept.map(({ sha256 }) => sha256));
    const lost = [...own].filter((sha) => !committed.has(sha) && !keptContents.has(sha));
    t.same(lost, [], 'everything that only it had is kept');
    t.ok(keptContents.size > 0, 'and it had something');
  });
}
