/**
 * The first start of a cluster whose members have data already, with real daemons: the
 * origin's are everybody's then, at the price of what differs, and nothing is lost; what
 * would be a mistake is refused with its reason. Takes about 75 s.
 */

import { mkdir, readFile, stat, statfs, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { MailCorpus } from '../../src/cli/demo/corpus.ts';
import type { DemoCluster } from '../../src/cli/demo/demo-cluster.ts';
import { sendMail } from '../../src/cli/demo/send-mail.ts';
import { compareTrees, type Tree } from '../../src/cli/demo/tree-compare.ts';
import { walkTree } from '../../src/cli/demo/tree-walk.ts';
import { LineClient } from '../examples/line-client.ts';
import { MailProcess } from '../examples/mail-process.ts';
import { CountingRelay } from '../support/counting-relay.ts';
import { scratch } from '../support/scratch.ts';
import { fill, mountSmallDisk } from '../support/small-disk.ts';
import { until } from '../support/until.ts';
import {
  clusterFor,
  memberOf,
  readiness,
  reconfigure,
  salvageOf,
  treeDifferences,
  untilInSync,
  untilServing,
  untilStatus,
  wipe,
} from './cluster-rig.ts';
import { copyTree, oldPaths, writeOddities, writeOld } from './old-data.ts';

const HOST = '127.0.0.1';
const MIB = 1024 * 1024;
const FILES = 5000;
const MAILS = 40;
const CHANGED = 100;
const OWN = 50;
/** Of what changed, so many have the size and the time that they had. */
const DISGUISED = 10;
/** The smallest journal that a configuration may ask for, and less room than that. */
const JOURNAL_BYTES = 64 * MIB;
const FREE_BYTES = 48 * MIB;

t.setTimeout(400_000);

t.test('members with older data or none get what the origin has, and what differs', async (t) => {
  const cluster = await clusterFor(t);
  const [origin, older] = [cluster.node('n1').volume, cluster.node('n2').volume];
  const paths = oldPaths(FILES);
  for (const path of paths) writeOld(origin, path);
  writeOddities(origin);
  await receiveMail(t, origin);
  copyTree(origin, older);
  const changed = paths.filter((_, at) => at % (FILES / CHANGED) === 0);
  for (const [at, path] of changed.entries()) await change(older, path, at);
  const own = Array.from({ length: OWN }, (_, at) =>
    at % 2 === 0 ? `own/${at}.dat` : `${paths[at * 7]}.own`,
  );
  for (const path of own) writeOld(older, path);
  const [before, olderBefore] = [await walkTree(origin), await walkTree(older)];
  const relay = await relayTo(t, cluster);

  const startedAtMs = performance.now();
  for (const id of cluster.ids) cluster.start(id);
  t.equal(await untilServing(cluster), 'n1', 'the origin serves');
  const servingAtMs = performance.now();
  await untilInSync(cluster);
  const [serving, synced] = [servingAtMs, performance.now()].map((atMs) =>
    ((atMs - startedAtMs) / 1000).toFixed(1),
  );
  t.comment(`the origin serves after ${serving} s, all have everything after ${synced} s`);

  t.same(await treeDifferences(cluster), [], 'all trees are equal');
  t.same(compareTrees(before, await walkTree(origin)).texts, [], 'the origin is as it was');
  t.equal(await countMail(t, cluster), MAILS, 'the mail of before is served');
  const kept = (await salvageOf(cluster, 'n2')).filter(({ type }) => type === 'file');
  t.same(
    kept.map(({ path, sha256 }) => `${path} ${sha256}`).sort(),
    [...changed, ...own].map((path) => `${path} ${olderBefore.get(path)?.sha256}`).sort(),
    'what the older copy had of its own is in its salvage',
  );
  t.same(await salvageOf(cluster, 'n1'), []);
  t.same(await salvageOf(cluster, 'n3'), []);

  const changedBytes = sum(changed.map((path) => before.get(path)?.size ?? 0));
  const allBytes = bytesOf(before);
  const [n2, n3] = [await cluster.status('n2'), await cluster.status('n3')];
  t.equal(n2?.replication.fetchedBytes, changedBytes, 'the older copy fetched what differed');
  t.equal(n3?.replication.fetchedBytes, allBytes, 'the empty one fetched everything');
  t.comment(`${allBytes} bytes in all, ${changedBytes} of them changed; ${relay.bytes} travelled`);
  t.ok(relay.bytes > allBytes + changedBytes, 'the relay sees what travels');
  t.ok(relay.bytes < (allBytes + changedBytes) * 1.2, 'and little else did');

  await cluster.client('n1').operate('/v1/switchover', 20);
  const next = await untilServing(cluster, (id) => id !== 'n1');
  t.equal(await countMail(t, cluster), MAILS, `${next} serves the same mail`);
});

t.test('an origin that has far less than another member founds no cluster unasked', async (t) => {
  const cluster = await clusterFor(t);
  for (const path of oldPaths(10)) writeOld(cluster.node('n1').volume, path);
  for (const path of oldPaths(200)) writeOld(cluster.node('n2').volume, path, 2);
  for (const id of cluster.ids) cluster.start(id);
  const { role, warnings } = await untilStatus(cluster, 'n1', ({ warnings }) =>
    warnings.some((text) => text.includes('--yes')),
  );
  t.equal(role, 'joining');
  t.match(warnings, [
    'volume "mail" has 10 files here, at the origin, and 200 at n2, which would be put aside: ' +
      'make that member the origin, or start this one with --yes',
  ]);
  t.match(await readiness(cluster, 'n1'), { status: 503, text: /10 files here.* and 200 at n2/ });
  t.match(await logOf(cluster, 'n1'), /200 at n2, which would be put aside/);

  await cluster.killDaemon('n1');
  cluster.start('n1', { options: ['--yes'] });
  await untilServing(cluster);
  await untilInSync(cluster);
  t.same(await treeDifferences(cluster), []);
  const kept = (await salvageOf(cluster, 'n2')).filter(({ type }) => type === 'file');
  t.equal(kept.length, 200, 'what the larger member had is in its salvage');
});

t.test('a member whose data directory was wiped takes no part', async (t) => {
  const cluster = await clusterFor(t);
  for (const path of oldPaths(50)) writeOld(cluster.node('n1').volume, path);
  for (const id of cluster.ids) cluster.start(id);
  await untilServing(cluster);
  await untilInSync(cluster);
  const clusterId = await clusterIdOf(cluster, 'n3');

  await cluster.killDaemon('n2');
  const giveBack = await wipe(cluster, 'n2');
  cluster.start('n2');
  const refused =
    /n\d refuses: the data directory of n2 is empty, and .* incarnation .*mailraft member add n2/;
  const isTold = (text: string): boolean => refused.test(text);
  await untilStatus(cluster, 'n2', ({ warnings }) => warnings.some(isTold));
  t.match(await readiness(cluster, 'n2'), { status: 503, text: refused });
  t.match(await memberOf(cluster, 'n1', 'n2'), { eligible: false });
  await deliver(cluster);
  t.equal((await cluster.client('n1').operate('/v1/barrier', 10))?.status, 200);
  await untilInSync(cluster, ['n1', 'n3']);
  t.equal((await cluster.status('n2'))?.role, 'joining', 'the cluster went on without it');

  await cluster.killDaemon('n2');
  await giveBack();
  cluster.start('n2');
  await untilInSync(cluster);
  t.same(await treeDifferences(cluster), [], 'with its own directory it is a member again');

  for (const id of cluster.ids) await cluster.killDaemon(id);
  await wipe(cluster, 'n1');
  for (const id of cluster.ids) cluster.start(id);
  await untilStatus(cluster, 'n1', ({ warnings }) =>
    warnings.some((text) => /n\d refuses: the data directory of n1 is empty/.test(text)),
  );
  const next = await untilServing(cluster);
  t.not(next, 'n1', 'the others serve');
  await deliver(cluster);
  t.match(await cluster.status('n1'), { role: 'joining', raft: { term: 0 } });
  t.equal(await clusterIdOf(cluster, 'n1'), '', 'the origin without its data founds nothing');
  for (const id of ['n2', 'n3']) t.equal(await clusterIdOf(cluster, id), clusterId);
});

t.test('a node that has too little room is refused until there is room', async (t) => {
  const where = scratch(t);
  const disk = join(where.path, 'disk');
  const whyNot = mountSmallDisk(where, disk, 160 * MIB);
  if (whyNot !== undefined) return t.plan(0, whyNot);
  const cluster = await clusterFor(t);
  for (const path of oldPaths(100)) writeOld(cluster.node('n1').volume, path);
  const { dataDir, volume, configFile } = cluster.node('n3');
  await reconfigure(cluster, 'n3', (config) => {
    config.journal = { maxSize: '64MiB' };
  });
  await moveTo(configFile, [
    [dataDir, join(disk, 'data')],
    [volume, join(disk, 'mail')],
  ]);
  const makeRoom = fill(disk, FREE_BYTES);

  for (const id of cluster.ids) cluster.start(id);
  await untilServing(cluster);
  await untilInSync(cluster, ['n1', 'n2']);
  const refused = /volumes and journal need (\d+) bytes at "(.+)", there are (\d+): make room/;
  const { replication, role } = await untilStatus(cluster, 'n3', (status) =>
    refused.test(status.replication.problem ?? ''),
  );
  t.equal(role, 'joining');
  const [, need, path, free] = refused.exec(replication.problem ?? '') ?? [];
  const origin = await cluster.status('n1');
  t.equal(Number(need), JOURNAL_BYTES + (origin?.volumes[0]?.bytes ?? 0));
  const { bavail, bsize } = await statfs(disk);
  t.ok(path?.startsWith(disk), `the place that lacks room is ${path}`);
  t.ok(Number(free) > 0 && Number(free) <= FREE_BYTES, `${free} of ${bavail * bsize} are told`);
  t.match(await readiness(cluster, 'n3'), { status: 503, text: refused });
  t.match((await cluster.status('n3'))?.warnings, [refused]);
  t.match(await logOf(cluster, 'n3'), /need \d+ bytes at .+, there are \d+: make room/);
  t.match(await memberOf(cluster, 'n1', 'n3'), { eligible: false, reason: refused });
  await deliver(cluster);
  t.notOk((await memberOf(cluster, 'n1', 'n3'))?.eligible, 'it is not eligible later either');

  makeRoom();
  await untilStatus(cluster, 'n3', ({ role }) => role === 'secondary');
  await untilInSync(cluster);
  t.equal((await cluster.status('n3'))?.replication.problem, null);
  await until(
    async () => (await memberOf(cluster, 'n1', 'n3'))?.eligible === true,
    'n3 to be eligible',
  );
  const trees = [cluster.node('n1').volume, join(disk, 'mail')].map((root) => walkTree(root));
  const [first, third] = (await Promise.all(trees)) as [Tree, Tree];
  t.same(compareTrees(first, third).texts, []);
});

/** Mail comes in by SMTP, to a mail server that knows nothing of any cluster. */
async function receiveMail(t: Test, store: string): Promise<void> {
  const corpus = await MailCorpus.open(1);
  const mail = await MailProcess.start(t, { store });
  const client = await LineClient.smtp(t, mail.smtpPort);
  for (let at = 0; at < MAILS; at += 1) {
    const answer = await client.deliver(await corpus.message(at));
    if (!answer.startsWith('250')) throw new Error(`a mail was answered ${answer}`);
  }
  await mail.end('SIGTERM');
}

/** How many mails a client finds at the shared address. */
async function countMail(t: Test, cluster: DemoCluster): Promise<number> {
  const client = await LineClient.pop3(t, cluster.layout.pop3Port);
  const [, count] = /^\+OK (\d+) /.exec(await client.ask('STAT')) ?? [];
  return Number(count);
}

/** One mail comes in through the shared address: the cluster works. */
async function deliver({ layout }: DemoCluster): Promise<void> {
  const answer = await sendMail(HOST, layout.smtpPort, 'hello');
  if (!answer.startsWith('250')) throw new Error(`a mail was answered ${answer}`);
}

/** Another version of an old file; the first ones have the size and the time that they had. */
async function change(root: string, path: string, at: number): Promise<void> {
  const { atime, mtime } = await stat(join(root, path));
  writeOld(root, path, at < DISGUISED ? 2 : 2 + (at % 2));
  if (at < DISGUISED) await utimes(join(root, path), atime, mtime);
}

/** Everything that a configuration names is somewhere else. */
async function moveTo(file: string, moves: readonly (readonly [string, string])[]): Promise<void> {
  let text = await readFile(file, 'utf8');
  for (const [from, to] of moves) {
    text = text.replaceAll(from, to);
    await mkdir(to, { recursive: true });
  }
  await writeFile(file, text);
}

async function logOf(cluster: DemoCluster, id: string): Promise<string> {
  return await readFile(cluster.node(id).logFile, 'utf8');
}

/** Which cluster a node belongs to, by its own file; empty for none. */
async function clusterIdOf(cluster: DemoCluster, id: string): Promise<string> {
  const text = await readFile(join(cluster.node(id).dataDir, 'node.json'), 'utf8');
  return JSON.parse(text).clusterId;
}

function bytesOf(tree: Tree): number {
  return sum([...tree.values()].map(({ size }) => size));
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** What n2 and n3 exchange with n1 on connections that they make goes through a relay. */
async function relayTo(t: Test, cluster: DemoCluster): Promise<CountingRelay> {
  const relay = await CountingRelay.to(cluster.node('n1').peerPort);
  t.teardown(() => relay.close());
  for (const id of cluster.ids) {
    await reconfigure(cluster, id, ({ members }) => {
      for (const member of members) {
        if (member.id === 'n1') member.address = `${HOST}:${relay.port}`;
      }
    });
  }
  return relay;
}
