/** Lag is from the first folder that has a name to each other one that gets it. */

import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { LagWatch, lagsOf, percentile, type Sighting } from '../../src/cli/demo/lag-watch.ts';
import { scratch } from '../support/scratch.ts';

const seen = (node: string, name: string, atMs: number): Sighting => ({ node, name, atMs });

t.test('each follower that gets a name has one lag, whoever the primary is', async (t) => {
  const sightings = [
    ...[seen('a', 'm1', 100), seen('b', 'm1', 105), seen('c', 'm1', 120)],
    ...[seen('b', 'm2', 200), seen('a', 'm2', 209), seen('c', 'm2', 211)],
    seen('c', 'only here', 300),
  ];
  t.same(lagsOf(sightings.toReversed(), []), [5, 20, 9, 11]);
});

t.test('what a node missed while it was down is no lag', async (t) => {
  const absences = [{ node: 'b', fromMs: 150, toMs: 1_000 }];
  const before = [seen('a', 'm1', 100), seen('b', 'm1', 105)];
  const across = [seen('a', 'm2', 140), seen('b', 'm2', 900), seen('c', 'm2', 145)];
  const within = [seen('a', 'm3', 500), seen('b', 'm3', 900)];
  const after = [seen('a', 'm4', 1_100), seen('b', 'm4', 1_107)];
  t.same(lagsOf([...before, ...across, ...within, ...after], absences), [5, 5, 7]);
});

t.test('a percentile is a value that was measured', async (t) => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  t.equal(percentile(values, 0.5), 50);
  t.equal(percentile(values, 0.99), 99);
  t.equal(percentile([7], 0.99), 7);
});

t.test('the watch sees names appear, once each, and no name that goes', async (t) => {
  const { path } = scratch(t);
  const folders = ['a', 'b'].map((node) => ({ node, path: join(path, node) }));
  for (const folder of folders) mkdirSync(folder.path);
  writeFileSync(join(path, 'a', 'old'), '');
  const watch = await LagWatch.start(folders);
  writeFileSync(join(path, 'staged'), 'message');
  renameSync(join(path, 'staged'), join(path, 'a', 'm1'));
  rmSync(join(path, 'a', 'old'));
  writeFileSync(join(path, 'b', 'm1'), 'message');
  writeFileSync(join(path, 'b', 'm1'), 'the same name again');
  const sightings = await watch.stop();
  t.same(
    sightings.map(({ node, name }) => `${node}/${name}`),
    ['a/m1', 'b/m1'],
  );
});

t.test('a folder that does not exist cannot be watched', async (t) => {
  const { path } = scratch(t);
  await t.rejects(LagWatch.start([{ node: 'a', path: join(path, 'absent') }]), { code: 'ENOENT' });
});
