/**
 * Full disks under real nodes (about 55 s, needs root to mount them): a secondary waits
 * and catches up by itself while the primary goes on, a primary gives its place away.
 * Journal and volume each have a small disk of their own.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, renameSync } from 'node:fs';
import t, { type Test } from 'tap';
import { fill } from '../support/small-disk.ts';
import { ThreeNodes } from './three-nodes.ts';

t.setTimeout(200_000);

const MIB = 1024 * 1024;
const JOURNAL_BYTES = 24 * MIB;
const VOLUME_BYTES = 24 * MIB;
/** With the room that the journal may need, and what the file index wants to be free. */
const DATA_BYTES = 112 * MIB;
const MAIL_BYTES = 300_000;

/** Three nodes that run; every one of them may be given a full disk. */
async function withSmallDisks(t: Test): Promise<ThreeNodes | undefined> {
  const nodes = await ThreeNodes.create(t);
  for (const id of nodes.ids) {
    const reason = nodes.mount(nodes.node(id).volume, VOLUME_BYTES);
    if (reason === undefined) continue;
    t.plan(0, reason);
    return undefined;
  }
  await nodes.serve();
  // Journals move to disks of their own once they are there: a node begins without one.
  for (const id of nodes.ids) await nodes.cluster.killDaemon(id);
  for (const id of nodes.ids) {
    const journal = nodes.journalOf(id);
    renameSync(journal, `${journal}.before`);
    nodes.mount(journal, JOURNAL_BYTES);
    cpSync(`${journal}.before`, journal, { recursive: true });
    nodes.cluster.start(id);
  }
  await nodes.converged();
  return nodes;
}

t.test('a full disk on a secondary does not stop the primary', async (t) => {
  const nodes = await withSmallDisks(t);
  if (nodes === undefined) return;
  const primary = await nodes.primary();
  const [victim] = await nodes.secondaries();

  const freeJournal = fill(nodes.journalOf(victim), 0);
  const marks = [...(await nodes.deliver(5, MAIL_BYTES))];
  await nodes.barrier();
  await nodes.says(victim, 'its journal has no space', ({ journal }) => !journal.hasSpace);
  t.ok((await nodes.status(victim)).warnings.includes('the journal has no space'));
  marks.push(...(await nodes.deliver(5, MAIL_BYTES)));
  await nodes.barrier();
  t.equal(await nodes.primary(), primary, 'the primary goes on');
  freeJournal();
  await nodes.prove(t, marks, 'after the journal has space');
  t.same((await nodes.status(victim)).warnings, []);

  const freeVolume = fill(`${nodes.node(victim).volume}/.mailraft`, 0);
  marks.push(...(await nodes.deliver(5, MAIL_BYTES)));
  await nodes.barrier();
  await nodes.says(victim, 'its volume is full', ({ replication }) =>
    /ENOSPC/.test(replication.problem ?? ''),
  );
  t.equal(await nodes.primary(), primary, 'the primary goes on');
  freeVolume();
  await nodes.prove(t, marks, 'after the volume has space');
  await nodes.says(victim, 'nothing is amiss', ({ warnings }) => warnings.length === 0);
  t.equal(nodes.cluster.endOf(victim), undefined, 'and it ran all the time');
});

t.test('a primary without space gives its place away', async (t) => {
  const nodes = await withSmallDisks(t);
  if (nodes === undefined) return;
  const marks: string[] = [];
  const places = [
    ['journal', (id: string) => nodes.journalOf(id), /the journal has no space/],
    [
      'volume',
      (id: string) => `${nodes.node(id).volume}/.mailraft`,
      /volume "mail" has \d+ bytes free/,
    ],
  ] as const;
  for (const [what, placeOf, says] of places) {
    const full = await nodes.primary();
    marks.push(...(await nodes.deliver(5, MAIL_BYTES)));
    await nodes.barrier();
    const free = fill(placeOf(full), 0);
    // What it is sent now makes it notice; it takes some, or another does.
    marks.push(...(await nodes.deliver(3, MAIL_BYTES)));
    t.not(await nodes.primary(undefined, full), full, `${what}: another node serves`);
    t.match(nodes.logOf(full), /stopping: illness/, `${what}: handed over, not torn away`);
    t.match(nodes.logOf(full), /transferring: illness/, what);
    marks.push(...(await nodes.deliver(3, MAIL_BYTES)));
    await nodes.barrier();
    await nodes.says(full, `no space for the ${what}`, ({ warnings }) =>
      warnings.some((text) => says.test(text)),
    );
    t.equal(nodes.cluster.services().length, 1, `${what}: one service runs`);
    free();
    await nodes.prove(t, marks, `after there is space for the ${what}`);
    await nodes.says(full, 'nothing is amiss', (status) => status.warnings.length === 0);
    t.same(await nodes.salvaged(full), [], `${what}: nothing had to be kept aside`);
    t.equal(nodes.cluster.endOf(full), undefined, `${what}: and it ran all the time`);
  }
});

t.test('nor does a full data directory cost the service, or a volume gone bad', async (t) => {
  const nodes = await ThreeNodes.create(t);
  for (const id of nodes.ids) {
    const { dataDir, volume } = nodes.node(id);
    const reason = nodes.mount(dataDir, DATA_BYTES) ?? nodes.mount(volume, VOLUME_BYTES);
    if (reason === undefined) continue;
    t.plan(0, reason);
    return;
  }
  await nodes.serve();
  const full = await nodes.primary();
  const marks = [...(await nodes.deliver(3))];
  await nodes.barrier();
  const free = fill(nodes.node(full).dataDir, 0);
  marks.push(...(await nodes.deliver(3)));
  await nodes.primary(undefined, full);
  marks.push(...(await nodes.deliver(3)));
  await nodes.barrier();
  free();
  await nodes.prove(t, marks, 'after there is space');
  await nodes.says(full, 'nothing is amiss', (status) => status.warnings.length === 0);
  t.equal(nodes.cluster.endOf(full), undefined, 'and it ran all the time');

  const bad = await nodes.primary();
  remount(nodes.node(bad).volume, 'ro');
  t.equal(await nodes.ended(bad), 'code 1', 'a volume that became read-only ends the node');
  t.match(nodes.logOf(bad), /volume \\"mail\\" at .* can not be written to any more: EROFS/);
  t.not(await nodes.primary(undefined, bad), bad, 'another node serves');
  marks.push(...(await nodes.deliver(3)));
  await nodes.barrier();
  remount(nodes.node(bad).volume, 'rw');
  nodes.cluster.start(bad);
  await nodes.prove(t, marks, 'after it can be written to again');
});

function remount(path: string, how: 'ro' | 'rw'): void {
  const { status, stderr } = spawnSync('mount', ['-o', `remount,${how}`, path], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`remount ${how}: ${stderr}`);
}
