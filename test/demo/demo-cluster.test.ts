/** The demo's cluster starts and ends processes, and knows which are its own. */

import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { DemoCluster } from '../../src/cli/demo/demo-cluster.ts';
import { findDemoProcesses, signalProcess } from '../../src/cli/demo/demo-processes.ts';
import { findFreePorts } from '../../src/cli/demo/free-ports.ts';
import { interactiveRun } from '../../src/cli/demo/interactive-run.ts';
import { Waiting } from '../../src/cli/demo/waiting.ts';
import { until } from '../support/until.ts';

const program = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url));

async function clusterOf(t: Test, name: string): Promise<DemoCluster> {
  const cluster = await DemoCluster.create({ program: program(name) });
  t.teardown(() => cluster.close(false));
  return cluster;
}

t.test('free ports are different ones that can be listened on', async (t) => {
  const ports = await findFreePorts(14);
  t.equal(new Set(ports).size, 14);
  for (const port of ports) {
    const server = createServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    await new Promise((resolve) => server.close(resolve));
  }
});

t.test(
  'the three configurations differ in what is a node’s own and share the address',
  async (t) => {
    const cluster = await clusterOf(t, 'stand-in-node');
    const configs = cluster.layout.nodes.map(({ configFile }) =>
      parse(readFileSync(configFile, 'utf8')),
    );
    t.same(
      configs.map(({ node }) => node.id),
      ['n1', 'n2', 'n3'],
    );
    for (const key of ['members', 'timing', 'cluster']) {
      t.same(configs[1][key], configs[0][key], key);
      t.same(configs[2][key], configs[0][key], key);
    }
    const shared = configs.map(({ address }) => address[0].address);
    t.equal(new Set(shared).size, 1, 'one shared address');
    const own = configs.flatMap(({ peers, http, address }) => [
      ...[peers.listen, http.listen],
      ...address.map(({ to }: { to: string }) => to),
    ]);
    t.equal(new Set([...own, shared[0]]).size, 13, 'all else is apart');
  },
);

t.test('a daemon that is killed on demand is no failure, one that ends by itself is', async (t) => {
  const cluster = await clusterOf(t, 'stand-in-node');
  const pid = cluster.start('n1');
  await until(() => cluster.primary().then((id) => id === 'n1'), 'n1 to serve');
  t.same(
    cluster.services().map(({ node }) => node),
    ['n1'],
  );
  t.equal(await cluster.killDaemon('n1'), pid);
  t.notOk(cluster.isUp('n1'));
  t.equal(cluster.failure, undefined);
  t.equal(await cluster.status('n1'), undefined, 'a dead node answers nothing');
  const second = cluster.start('n2');
  signalProcess(second, 'SIGKILL');
  await until(() => cluster.failure !== undefined, 'the failure to be noticed');
  t.match(cluster.failure?.message, 'the daemon of n2 ended by itself with SIGKILL');
});

t.test('what outlives its daemon is killed and named, and the folder goes', async (t) => {
  const cluster = await clusterOf(t, 'leaves-a-child');
  const { folder } = cluster.layout;
  cluster.start('n1');
  const started = async (): Promise<boolean> => (await findDemoProcesses(folder)).length === 2;
  await until(started, 'the program and its child to run');
  const { killed } = await cluster.close(false);
  t.match(killed, [{ commandLine: /setInterval/ }]);
  t.same(await findDemoProcesses(folder), []);
  t.notOk(existsSync(folder));
  t.same(await cluster.close(false), { killed }, 'it is closed once');
});

t.test('a wait that is over says what it was for', async (t) => {
  const waiting = new Waiting({ msMax: 60_000, signal: new AbortController().signal });
  t.equal(await waiting.until('a look', () => 5), 5);
  const inVain = waiting.until('better weather', () => undefined, 50);
  await t.rejects(inVain, {
    code: 'TIMED_OUT',
    message: /^waited 0\.\d s in vain for better weather$/,
  });
  const short = new Waiting({ msMax: 50, signal: new AbortController().signal });
  await t.rejects(
    short.until('the bound of all waits', () => undefined),
    { code: 'TIMED_OUT' },
  );
  const reason = new Error('ended');
  const ended = new Waiting({ msMax: 60_000, signal: AbortSignal.abort(reason) });
  await t.rejects(
    ended.until('anything', () => undefined),
    reason,
  );
});

t.test('without a terminal the demo serves mail until it is told to end', async (t) => {
  const end = new AbortController();
  const told: string[] = [];
  let folder = '';
  const note = ({ event, data }: { event: string; data: Readonly<Record<string, unknown>> }) => {
    told.push(event);
    if (typeof data['folder'] === 'string') folder = data['folder'];
    if (event === 'serving') end.abort();
  };
  const options = { seed: 1, json: true, keep: false, signal: end.signal, note };
  const code = await interactiveRun({ ...options, program: program('stand-in-node') });
  t.equal(code, 0);
  t.same(told, ['start', 'serving', 'end']);
  t.notOk(existsSync(folder), 'the folder is gone');
  t.same(await findDemoProcesses(folder), []);
});
