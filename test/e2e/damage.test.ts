/**
 * Journals of real nodes that a crash tore or a disk spoilt (about 70 s): what was torn
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
const LONG_MS = 6_000;

t.test('a journal that a crash tore or a disk spoilt is whole again soon', async (t) => {
  const nodes = await ThreeNodes.create(t);
  await nodes.serve();
  const [victim] = await nodes.secondaries();
  const journal = nodes.journalOf(victim);
  const marks = [...(await nodes.deliver(20))];
  await nodes.barrier();

  /** Kills it, spoils its journal, starts it after some mail; returns what it logs since. */
  const spoilt = async (what: string, spoil: () => void): Promise<string> => {
    await nodes.cluster.killDaemon(victim);
    spoil();
    marks.push(...(await nodes.deliver(3)));
    const before = nodes.logOf(victim).length;
    nodes.cluster.start(victim);
    await nodes.prove(t, marks, what);
    await nodes.says(victim, 'nothing is amiss', ({ warnings }) => warnings.length === 0);
    return nodes.logOf(victim).slice(before);
  };

  await spoilt('a torn tail', () => tear(journal));
  await spoilt('less than the beginning of a batch behind the end', () => litter(journal));
  const ways: readonly (readonly [string, () => void])[] = [
    ['damage in the middle', () => flipEntry(journal, 0.5)],
    ['damage in the last entry', () => flipEntry(journal, 1)],
    ['damage at the beginning of every segment', () => behead(journal)],
  ];
  for (const [what, spoil] of ways) {
    const log = await spoilt(what, spoil);
    t.match(log, /the journal is damaged: no vote before it is whole/, `${what} is told`);
    t.match(log, /the journal is whole again/, `${what}: and what became of it`);
    t.equal((await nodes.status(victim)).journal.damage, null, what);
  }

  const primary = await nodes.primary();
  await nodes.cluster.killDaemon(primary);
  marks.push(...(await nodes.deliver(3)));
  nodes.cluster.start(primary);
  await nodes.prove(t, marks, 'after the repaired node was needed');

  await nodes.cluster.killDaemon(victim);
  for (const path of segmentsIn(journal)) rmSync(path);
  nodes.cluster.start(victim);
  t.equal(await nodes.ended(victim), 'code 1', 'without any journal it does not take part');
  const advice = /does not tell in which terms this node voted.*put the journal back/;
  t.match(nodes.logOf(victim), advice, 'and says what to do');
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
