/**
 * Nodes that come and go: first start, return of an old primary, a follower that was
 * away, someone writing where he should not. At the end the trees are equal, and
 * whatever a node had that the cluster has not is in its salvage (rules 11, 15, 16).
 */

import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { SalvagedFile } from '../../src/replication/salvage/salvage-store.ts';
import { scratch } from '../support/scratch.ts';
import { until } from '../support/until.ts';
import { Group, type GroupNode, type Hosting } from './group.ts';

const salvagedBy = (node: GroupNode): readonly SalvagedFile[] =>
  node.events.flatMap((event) => (event.kind === 'salvaged' ? event.manifest.files : []));

const at = (node: GroupNode, path: string): string => join(node.path, path);

async function allEqual(t: Test, group: Group, message: string): Promise<void> {
  const [first = '', ...others] = group.nodes.keys();
  for (const other of others) {
    t.same(await group.differences(first, other), [], `${message}: ${first} and ${other}`);
  }
  const hashes = [...group.nodes.values()].map((node) => node.running.status.volumes[0]?.treeHash);
  t.equal(new Set(hashes).size, 1, `${message}: equal hashes`);
  const missing = [...group.nodes.values()].map((node) => node.running.status.missing);
  t.same(new Set(missing), new Set([0]), `${message}: nothing missing`);
}

async function founded(
  t: Test,
  hosting: Hosting,
): Promise<{ group: Group; a: GroupNode; b: GroupNode; c: GroupNode }> {
  const group = new Group(scratch(t), ['a', 'b', 'c'], hosting);
  const [a, b, c] = [group.of('a'), group.of('b'), group.of('c')];
  mkdirSync(at(a, 'new'));
  writeFileSync(at(a, 'new/old mail'), 'from before');
  await group.found('a');
  await group.serve('a');
  return { group, a, b, c };
}

const scenarios: [string, (t: Test, hosting: Hosting) => Promise<void>][] = [];

function scenario(name: string, run: (t: Test, hosting: Hosting) => Promise<void>): void {
  scenarios.push([name, run]);
}

/** The same must hold wherever the replicators run. */
export function runScenarios(hosting: Hosting): void {
  // A thread takes a quarter of a second to start, and the machine may be busy.
  t.setTimeout(120_000);
  for (const [name, run] of scenarios) t.test(name, (t) => run(t, hosting));
}

scenario(
  'first start: an older copy gives up its own to salvage, an empty one fetches all',
  async (t, hosting) => {
    const group = new Group(scratch(t), ['a', 'b', 'c'], hosting);
    const [a, b] = [group.of('a'), group.of('b')];
    for (const node of [a, b]) {
      for (let box = 0; box < 5; box += 1) {
        mkdirSync(at(node, `box${box}`));
        for (let mail = 0; mail < 20; mail += 1) {
          const path = at(node, `box${box}/${mail}`);
          writeFileSync(path, `mail ${box} ${mail} `.repeat(100));
          utimesSync(path, 1000, 1000 + mail);
        }
      }
    }
    for (let mail = 0; mail < 7; mail += 1) writeFileSync(at(b, `box0/${mail}`), `changed ${mail}`);
    for (let mail = 0; mail < 4; mail += 1) writeFileSync(at(b, `own${mail}`), `own ${mail}`);
    await group.found('a');
    await allEqual(t, group, 'after the first start');
    t.same(
      salvagedBy(b)
        .map(({ path }) => path)
        .sort(),
      [
        ...Array.from({ length: 7 }, (_, mail) => `box0/${mail}`),
        ...Array.from({ length: 4 }, (_, mail) => `own${mail}`),
      ].sort(),
    );
    const kept = b.events.find((event) => event.kind === 'salvaged');
    t.equal(kept?.kind === 'salvaged' && kept.manifest.files.length, 11);
    t.ok(b.running.status.fetchedBytes < 20_000, 'only what differed travelled to the older copy');
    t.ok(group.of('c').running.status.fetchedBytes > 80_000, 'everything to the empty one');
  },
);

scenario('what is written on the primary is on all nodes', async (t, hosting) => {
  const { group, a } = await founded(t, hosting);
  for (let mail = 0; mail < 50; mail += 1) {
    writeFileSync(at(a, 'tmp'), `mail ${mail}`);
    renameSync(at(a, 'tmp'), at(a, `new/${mail}`));
  }
  writeFileSync(at(a, 'large'), Buffer.alloc(2_500_000, 'large'));
  unlinkSync(at(a, 'new/old mail'));
  await group.covered();
  await allEqual(t, group, 'after fifty mails');
});

scenario(
  "an old primary's tail goes to salvage, and what survived does not",
  async (t, hosting) => {
    const { group, a, b } = await founded(t, hosting);
    writeFileSync(at(a, 'new/covered'), 'covered');
    await group.covered();
    group.commits = false;
    writeFileSync(at(a, 'new/proposed'), 'proposed, never committed');
    await a.running.barrier();
    appendFileSync(at(a, 'new/old mail'), ', changed at the end');
    await a.stop();
    writeFileSync(at(a, 'new/uncaptured'), 'written when nobody looked');
    await group.depose();
    await group.elect('b');
    await group.serve('b');
    writeFileSync(at(b, 'new/later'), 'later');
    unlinkSync(at(b, 'new/covered'));
    await group.covered();
    await a.start();
    a.running.settle(group.committed, 'deposed');
    await a.caughtUp();
    await allEqual(t, group, 'after the return');
    t.same(
      salvagedBy(a)
        .map(({ path }) => path)
        .sort(),
      ['new/old mail', 'new/proposed', 'new/uncaptured'],
    );
  },
);

scenario(
  'a tail that the new leader committed after all is no salvage, also when it was deleted since',
  async (t, hosting) => {
    const { group, a, b } = await founded(t, hosting);
    group.commits = false;
    writeFileSync(at(a, 'new/m7'), 'committed by the successor');
    await a.running.barrier();
    await a.stop();
    // The successor had the entry: its no-op commits it.
    group.leader = 'b';
    await group.elect('b');
    await group.serve('b');
    t.equal(readFileSync(at(b, 'new/m7'), 'utf8'), 'committed by the successor');
    unlinkSync(at(b, 'new/m7'));
    await group.covered();
    await a.start();
    a.running.settle(group.committed, 'deposed');
    await a.caughtUp();
    await allEqual(t, group, 'after the return');
    t.same(salvagedBy(a), []);
  },
);

scenario(
  'a message that was published uncommitted is kept when its draft is cleared away',
  async (t, hosting) => {
    const { group, a, b } = await founded(t, hosting);
    mkdirSync(at(a, 'tmp'));
    await group.covered();
    group.commits = false;
    writeFileSync(at(a, 'tmp/1'), 'answered 250');
    await a.running.barrier();
    await a.stop();
    renameSync(at(a, 'tmp/1'), at(a, 'new/1.eml'));
    group.leader = 'b';
    await group.elect('b');
    await group.serve('b');
    unlinkSync(at(b, 'tmp/1'));
    await group.covered();
    await a.start();
    a.running.settle(group.committed, 'deposed');
    await a.caughtUp();
    await allEqual(t, group, 'after the return');
    const kept = salvagedBy(a).map(({ path }) => path);
    t.same(kept, ['new/1.eml'], 'its only copy was here, under the name that was answered for');
  },
);

scenario('equal looks do not hide a version that was never captured', async (t, hosting) => {
  const { group, a, b } = await founded(t, hosting);
  writeFileSync(at(a, 'f'), 'version 1');
  await group.covered();
  const { atime, mtime } = statSync(at(a, 'f'));
  await a.stop();
  writeFileSync(at(a, 'f'), 'version 2');
  utimesSync(at(a, 'f'), atime, mtime);
  await group.depose();
  await group.elect('b');
  await group.serve('b');
  writeFileSync(at(b, 'f'), 'version 3');
  await group.covered();
  await a.start();
  a.running.settle(group.committed, 'deposed');
  await a.caughtUp();
  await allEqual(t, group, 'after the return');
  const [kept] = salvagedBy(a);
  t.match(kept, { path: 'f', bytes: 9 });
});

scenario('a second settle keeps beside what the first one kept', async (t, hosting) => {
  const { group, a } = await founded(t, hosting);
  for (const round of [1, 2]) {
    await a.stop();
    writeFileSync(at(a, 'same name'), `round ${round}`);
    await group.depose();
    await group.elect('b');
    await a.start();
    a.running.settle(group.committed, 'deposed');
    await a.caughtUp();
    t.equal(salvagedBy(a).length, round);
  }
  const digests = new Set(salvagedBy(a).map(({ sha256 }) => sha256));
  t.equal(digests.size, 2);
});

scenario('a primary that lost its lead without dying settles as well', async (t, hosting) => {
  const { group, a, b } = await founded(t, hosting);
  group.commits = false;
  writeFileSync(at(a, 'new/lost'), 'proposed');
  await a.running.barrier();
  await group.depose();
  await group.elect('b');
  await group.serve('b');
  writeFileSync(at(b, 'new/won'), 'won');
  await group.covered();
  await allEqual(t, group, 'after the change');
  t.same(
    salvagedBy(a).map(({ path }) => path),
    ['new/lost'],
  );
});

scenario('a follower that was away while names changed places ends right', async (t, hosting) => {
  const { group, a, b } = await founded(t, hosting);
  for (const name of ['x', 'y']) {
    mkdirSync(at(a, name));
    writeFileSync(at(a, `${name}/inside`), name);
  }
  writeFileSync(at(a, 'log'), 'first');
  await group.covered();
  await b.stop();
  renameSync(at(a, 'x'), at(a, 'z'));
  renameSync(at(a, 'y'), at(a, 'x'));
  renameSync(at(a, 'z'), at(a, 'y'));
  renameSync(at(a, 'log'), at(a, 'log.1'));
  writeFileSync(at(a, 'log'), 'second');
  rmSync(at(a, 'new'), { recursive: true });
  writeFileSync(at(a, 'new'), 'a file now');
  await a.running.barrier();
  await group.of('c').caughtUp();
  await b.start();
  b.running.settle(group.committed, 'away');
  await b.caughtUp();
  await allEqual(t, group, 'after the return');
  t.same(salvagedBy(b), []);
});

scenario(
  'a follower behind the journal fetches what differs, and nothing else',
  async (t, hosting) => {
    const { group, a, b } = await founded(t, hosting);
    for (let box = 0; box < 10; box += 1) {
      mkdirSync(at(a, `box${box}`));
      for (let mail = 0; mail < 20; mail += 1) {
        writeFileSync(at(a, `box${box}/${mail}`), `${box} ${mail} `.repeat(200));
      }
    }
    await group.covered();
    b.isCut = true;
    writeFileSync(at(a, 'box3/20'), 'while it was away');
    unlinkSync(at(a, 'box4/0'));
    renameSync(at(a, 'box5'), at(a, 'box5 moved'));
    await a.running.barrier();
    await group.of('c').caughtUp();
    group.asked.length = 0;
    b.running.needState();
    await until(() => b.events.some(({ kind }) => kind === 'resynced'), 'b fetches the state');
    b.isCut = false;
    writeFileSync(at(a, 'after'), 'after');
    await group.covered();
    await allEqual(t, group, 'after the resync');
    t.same(salvagedBy(b), []);
    const lists = group.asked.filter((method) => method === 'resync.list').length;
    t.ok(lists <= 5, `${lists} directories were listed`);
    t.ok(b.running.status.fetchedBytes < 3000, `${b.running.status.fetchedBytes} bytes fetched`);
  },
);

scenario('who writes on a follower loses nothing, and changes nothing', async (t, hosting) => {
  const { group, a, b } = await founded(t, hosting);
  writeFileSync(at(a, 'doc'), 'first');
  await group.covered();
  writeFileSync(at(b, 'doc'), 'written on the follower');
  writeFileSync(at(b, 'in the way'), 'also written there');
  writeFileSync(at(a, 'doc'), 'second');
  writeFileSync(at(a, 'in the way'), 'from the primary');
  await group.covered();
  await allEqual(t, group, 'after the drift');
  t.same(
    salvagedBy(b)
      .map(({ path }) => path)
      .sort(),
    ['doc', 'in the way'],
  );
  t.ok(b.events.some(({ kind }) => kind === 'drift'));
});

scenario(
  'when all nodes start again nothing is lost and nothing is salvaged',
  async (t, hosting) => {
    const { group, a } = await founded(t, hosting);
    for (let mail = 0; mail < 20; mail += 1) writeFileSync(at(a, `new/${mail}`), `${mail}`);
    await group.covered();
    for (const node of group.nodes.values()) await node.stop();
    for (const node of group.nodes.values()) await node.start();
    await group.elect('c');
    for (const node of group.nodes.values()) await node.caughtUp();
    await allEqual(t, group, 'after the restart');
    for (const node of group.nodes.values()) t.same(salvagedBy(node), []);
  },
);
