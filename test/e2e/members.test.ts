/**
 * Members come and go while the service runs, with real daemons: a cluster grows to five and
 * loses two of them, the primary too; a node that lost its data directory comes back; and
 * who is of another cluster, or of yesterday, is kept out. Takes about two minutes.
 */

import { cp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { parse, stringify } from 'yaml';
import { DEMO_HOST } from '../../src/cli/demo/demo-layout.ts';
import type { ClusterReport, MemberReport } from '../../src/net/http/node-port.ts';
import { runVerb } from '../cli/verb-process.ts';
import { ThreeNodes } from './three-nodes.ts';

t.setTimeout(400_000);

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `mailraft member …`, asked of one node. */
function member(t: Test, nodes: ThreeNodes, at: string, args: readonly string[]): Promise<Ended> {
  const argv = ['member', ...args, '--config', nodes.node(at).configFile, '--timeout', '60'];
  return runVerb(t, argv, { cwd: nodes.cluster.layout.folder });
}

function addressOf(nodes: ThreeNodes, id: string): string {
  return `${DEMO_HOST}:${nodes.node(id).peerPort}`;
}

async function listed(nodes: ThreeNodes, at: string): Promise<readonly MemberReport[]> {
  const report = await nodes.cluster.client(at).get<ClusterReport>('/v1/members');
  return report?.members ?? [];
}

const standings = (members: readonly MemberReport[]): readonly string[] =>
  members.map(({ id, role }) => `${id} ${role}`).sort();

/** Waits until a node says what keeps it away. */
async function isKeptOut(nodes: ThreeNodes, id: string, reason: RegExp): Promise<void> {
  await nodes.says(id, String(reason), ({ warnings }) => warnings.some((one) => reason.test(one)));
}

t.test('a cluster grows to five and loses two, the primary too, and no mail', async (t) => {
  const nodes = await ThreeNodes.create(t, { others: ['n4', 'n5'] });
  await nodes.serve();
  const marks = [...(await nodes.deliver(5))];

  nodes.cluster.start('n4');
  await isKeptOut(nodes, 'n4', /n4 is no member of this cluster: .*mailraft member add n4/);
  const first = await member(t, nodes, 'n2', ['add', 'n4', addressOf(nodes, 'n4')]);
  t.equal(first.code, 0, first.stderr);
  t.match(first.stdout, /adding n4 as a learner.*n4 is a learner, and has everything/s);
  t.same(standings(await listed(nodes, 'n1')), ['n1 voter', 'n2 voter', 'n3 voter', 'n4 learner']);
  await nodes.says('n4', 'replica', ({ role }) => role === 'replica');
  t.equal((await nodes.cluster.client('n4').get<object>('/replica')) !== undefined, true);
  t.match(await nodes.cluster.client('n4').get('/secondary'), undefined);
  const again = await member(t, nodes, 'n4', ['add', 'n4']);
  t.equal(again.code, 0, 'asked again, by the node itself');

  const promoted = await member(t, nodes, 'n3', ['promote', 'n4']);
  t.equal(promoted.code, 0, promoted.stderr);
  t.match(promoted.stderr, /warning: 4 voters survive no more failures than 3/);
  nodes.cluster.start('n5');
  await isKeptOut(nodes, 'n5', /n5 is no member of this cluster/);
  const fifth = await member(t, nodes, 'n1', ['add', 'n5', addressOf(nodes, 'n5'), '--promote']);
  t.equal(fifth.code, 0, fifth.stderr);
  t.equal(
    standings(await listed(nodes, 'n1')).join(),
    'n1 voter,n2 voter,n3 voter,n4 voter,n5 voter',
  );
  marks.push(...(await nodes.deliver(5)));

  const primary = await nodes.primary();
  const other = nodes.ids.find((id) => id !== primary) ?? '';
  const refused = await member(t, nodes, 'n4', ['remove', other]);
  t.equal(refused.code, 4, refused.stdout);
  t.match(refused.stderr, /1 could fail then, instead of 2: say --yes/);
  const removed = await member(t, nodes, 'n4', ['remove', other, '--yes']);
  t.equal(removed.code, 0, removed.stderr);
  await isKeptOut(nodes, other, new RegExp(`${other} is no member of this cluster|does not list`));
  marks.push(...(await nodes.deliver(3)));

  const left = await member(t, nodes, primary, ['remove', primary]);
  t.equal(left.code, 0, left.stderr);
  t.match(left.stdout, /hands over/);
  const next = await nodes.primary(undefined, primary);
  marks.push(...(await nodes.deliver(5)));
  await nodes.barrier();
  const rest = nodes.cluster.ids.filter((id) => id !== primary && id !== other);
  t.same(
    standings(await listed(nodes, next)),
    rest.map((id) => `${id} voter`),
  );
  t.equal((await nodes.status(primary)).service.state, 'stopped');

  await nodes.converged(rest);
  for (const id of rest) t.same(await nodes.lacking(id, marks), [], `${id} has every mail`);
  for (const id of rest.slice(1)) t.same(await nodes.differences(rest[0] ?? '', id), []);

  await nodes.cluster.killDaemon(next);
  const last = await nodes.primary(undefined, next);
  t.ok(rest.includes(last), 'the three that are left survive the loss of one');
});

t.test('a node that lost its data directory is told what to do, and comes back', async (t) => {
  const nodes = await ThreeNodes.create(t);
  await nodes.serve();
  const [, lost] = await nodes.secondaries();
  const { dataDir } = nodes.node(lost);
  const before = (await listed(nodes, 'n1')).find(({ id }) => id === lost)?.incarnation;

  await nodes.cluster.killDaemon(lost);
  await rm(dataDir, { recursive: true });
  const marks = [...(await nodes.deliver(3))];
  nodes.cluster.start(lost);
  const told = `the data directory of ${lost} is empty, and the cluster knows ${lost} as incarnation`;
  await isKeptOut(nodes, lost, new RegExp(`${told} ${before}: run .mailraft member add ${lost} `));

  const primary = await nodes.primary();
  const added = await member(t, nodes, primary, ['add', lost, addressOf(nodes, lost)]);
  t.equal(added.code, 0, added.stderr);
  t.match(added.stdout, /removing n\d as it was.*adding n\d as a learner.*giving n\d a vote/s);
  const [now] = (await listed(nodes, primary)).filter(({ id }) => id === lost);
  t.equal(now?.role, 'voter');
  t.not(now?.incarnation, before);
  marks.push(...(await nodes.deliver(3)));
  await nodes.barrier();
  await nodes.prove(t, marks, 'the one that came back has everything');

  await nodes.cluster.killDaemon(primary);
  await nodes.primary(undefined, primary);
  t.pass('with its vote the two that are left have a primary');
});

t.test('a node of another cluster is refused, by its name and by its founding', async (t) => {
  const nodes = await ThreeNodes.create(t, { others: ['n4'] });
  await nodes.serve();
  const { configFile } = nodes.node('n4');
  const config = parse(await readFile(configFile, 'utf8'));
  const add = () => member(t, nodes, 'n1', ['add', 'n4', addressOf(nodes, 'n4')]);

  await writeFile(configFile, stringify({ ...config, cluster: 'other' }));
  nodes.cluster.start('n4');
  await isKeptOut(nodes, 'n4', /this is cluster "demo", not "other"/);
  const named = await add();
  t.equal(named.code, 1);
  t.match(named.stderr, /this is cluster "other", not "demo"/);
  await nodes.cluster.killDaemon('n4');
  await rm(nodes.node('n4').dataDir, { recursive: true });

  const [own] = config.members.filter(({ id }: { id: string }) => id === 'n4');
  const alone = {
    ...config,
    members: [{ ...own, role: 'voter' }],
    address: [],
    service: undefined,
  };
  await writeFile(configFile, stringify(alone));
  nodes.cluster.start('n4');
  await nodes.says('n4', 'founded alone', ({ raft }) => raft.leader === 'n4');
  const founded = await add();
  t.equal(founded.code, 1);
  t.match(founded.stderr, /another cluster of the same name/);
  t.equal((await listed(nodes, 'n1')).length, 3);
});

t.test('a data directory of yesterday is refused, and its node comes back anew', async (t) => {
  const nodes = await ThreeNodes.create(t);
  await nodes.serve();
  const [, old] = await nodes.secondaries();
  const { dataDir } = nodes.node(old);
  await nodes.cluster.killDaemon(old);
  await cp(dataDir, `${dataDir}.copy`, { recursive: true });
  nodes.cluster.start(old);
  const marks = [...(await nodes.deliver(5))];
  await nodes.barrier();
  await nodes.converged();
  // What the others saw of it is what it synced: the next batch carries the commit of this one.
  marks.push(...(await nodes.deliver(3)));
  await nodes.barrier();
  await nodes.converged();

  await nodes.cluster.killDaemon(old);
  await rm(dataDir, { recursive: true });
  await rename(`${dataDir}.copy`, dataDir);
  nodes.cluster.start(old);
  await isKeptOut(nodes, old, /older state of itself, as of a restored copy.*mailraft member add/);
  const primary = await nodes.primary();
  await nodes.says(primary, 'it is cut off', ({ peers }) =>
    peers.some(({ id, problem }) => id === old || problem !== null),
  );
  const used = await member(t, nodes, primary, ['add', old, addressOf(nodes, old)]);
  t.not(used.code, 0, 'as it is it is not taken back');

  await nodes.cluster.killDaemon(old);
  await rm(dataDir, { recursive: true });
  nodes.cluster.start(old);
  await isKeptOut(nodes, old, /is empty, and the cluster knows/);
  const added = await member(t, nodes, primary, ['add', old, addressOf(nodes, old)]);
  t.equal(added.code, 0, added.stderr);
  await nodes.prove(t, marks, 'with an empty data directory it is a member again');
});
