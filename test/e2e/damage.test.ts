/**
 * Journals of real nodes that a crash tore or a disk spoilt (about 60 s): what was torn
 * is cut off, what is damaged comes back from the others, and until then the node helps
 * nobody to lead.
 */

import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { behead, flipEntry, litter, segmentsIn, tear } from './journal-bytes.ts';
import { ThreeNodes } from './three-nodes.ts';

t.setTimeout(200_000);

/** Several elections would have come and gone. */
const LONG_MS = 8_000;

t.test('a torn tail is cut off, and the node has everything again', async (t) => {
  const nodes = await ThreeNodes.create(t);
  await nodes.serve();
  const [victim] = await nodes.secondaries();
  const marks = [...(await nodes.deliver(10))];
  await nodes.barrier();
  for (const spoil of [tear, litter]) {
    await nodes.cluster.killDaemon(victim);
    spoil(nodes.journalOf(victim));
    marks.push(...(await nodes.deliver(3)));
    nodes.cluster.start(victim);
    await nodes.prove(t, marks, `after it was spoilt by ${spoil.name}`);
  }
  const { journal, warnings } = await nodes.status(victim);
  t.equal(journal.damage, null);
  t.same(warnings, []);
});

t.test('damage anywhere in a journal is found and comes back from the others', async (t) => {
  const nodes = await ThreeNodes.create(t);
  await nodes.serve();
  const [victim] = await nodes.secondaries();
  const marks = [...(await nodes.deliver(20))];
  await nodes.barrier();
  const ways: readonly (readonly [string, (journal: string) => void])[] = [
    ['in the middle', (journal) => flipEntry(journal, 0.5)],
    ['in the last entry', (journal) => flipEntry(journal, 1)],
    ['at the beginning of every segment', behead],
  ];
  for (const [where, spoil] of ways) {
    await nodes.cluster.killDaemon(victim);
    spoil(nodes.journalOf(victim));
    marks.push(...(await nodes.deliver(3)));
    const before = nodes.logOf(victim).length;
    nodes.cluster.start(victim);
    await nodes.prove(t, marks, `damaged ${where}`);
    const log = nodes.logOf(victim).slice(before);
    t.match(log, /the journal is damaged: no vote before it is whole/, `${where}: it is told`);
    t.match(log, /the journal is whole again/, `${where}: and what became of it`);
    await nodes.says(victim, 'nothing is damaged', ({ journal }) => journal.damage === null);
  }
  const primary = await nodes.primary();
  await nodes.cluster.killDaemon(primary);
  marks.push(...(await nodes.deliver(3)));
  nodes.cluster.start(primary);
  await nodes.prove(t, marks, 'after the repaired node was needed');
});

t.test('a damaged node helps nobody to lead with less than was acknowledged', async (t) => {
  const nodes = await ThreeNodes.create(t);
  await nodes.serve();
  const primary = await nodes.primary();
  const [damaged, behind] = await nodes.secondaries();
  await nodes.cluster.killDaemon(behind);
  const marks = await nodes.deliver(10);
  await nodes.barrier();
  await nodes.cluster.killDaemon(damaged);
  flipEntry(nodes.journalOf(damaged), 0.8);
  await nodes.cluster.killDaemon(primary);
  nodes.cluster.start(damaged);
  nodes.cluster.start(behind);
  await nodes.says(damaged, 'it is damaged', ({ journal }) => journal.damage !== null);
  const status = await nodes.status(damaged);
  t.match(status.journal.damage, /checksum/);
  t.ok(status.warnings.some((text) => /the journal was damaged/.test(text)));
  t.equal(await nodes.cluster.client(damaged).get('/readyz'), undefined, 'it is not ready');
  const term = status.raft.term;
  // It forgets neither when it starts anew, by when the damage may be overwritten.
  await nodes.cluster.killDaemon(damaged);
  nodes.cluster.start(damaged);
  await nodes.says(damaged, 'it is damaged', ({ journal }) => journal.damage !== null);
  const endAtMs = performance.now() + LONG_MS;
  while (performance.now() < endAtMs) {
    for (const each of await nodes.cluster.statuses()) {
      if (each.raft.state === 'leader') t.fail(`${each.node} leads`);
    }
    await delay(50);
  }
  t.equal((await nodes.status(damaged)).raft.term, term, 'it stood for no election');
  nodes.cluster.start(primary);
  t.equal(await nodes.primary(), primary, 'only the one that has everything can lead');
  await nodes.prove(t, marks, 'after it was there again');
});

t.test('a node without its journal does not start, and says what to do', async (t) => {
  const nodes = await ThreeNodes.create(t);
  await nodes.serve();
  const [victim] = await nodes.secondaries();
  await nodes.cluster.killDaemon(victim);
  for (const path of segmentsIn(nodes.journalOf(victim))) rmSync(path);
  nodes.cluster.start(victim);
  t.equal(await nodes.ended(victim), 'code 1');
  t.match(
    nodes.logOf(victim),
    /does not tell in which terms this node voted.*put the journal back/,
  );
});
