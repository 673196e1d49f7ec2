/** What a lab cluster is made of: its configuration, its HTTP from within, its finding of processes. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { LabCluster } from './cluster.ts';
import { enterLab } from './enter-lab.ts';
import { areInSync, isPrimary, type NodeStatus } from './node-status.ts';
import { signalProcess } from './processes.ts';
import { until } from './until.ts';

/** Stands in for a daemon: answers with what it was asked. */
const ECHO = `
const { createServer } = require('node:http');
createServer((request, response) => {
  if (request.url === '/silent') return;
  let body = '';
  request.on('data', (chunk) => { body += chunk; });
  request.on('end', () => {
    response.setHeader('x-method', request.method);
    response.statusCode = request.url === '/status' ? 200 : 202;
    const { authorization = '' } = request.headers;
    response.end(JSON.stringify({ node: process.argv[2], body, authorization }));
  });
}).listen(7480, '127.0.0.1');
`;

function statusOf(node: string, overrides: Partial<NodeStatus> = {}): NodeStatus {
  return {
    node,
    role: 'secondary',
    raft: { state: 'follower', term: 2, leader: 'n1', commitIndex: 9, appliedIndex: 9 },
    tenure: { valid: false },
    service: { state: 'stopped' },
    address: [{ address: '10.77.0.100/24', held: false }],
    volumes: [{ name: 'mail', treeHash: 'aa', treeHashIndex: 9, dirty: 0, missing: 0 }],
    replication: { mode: 'following' },
    ...overrides,
  };
}

t.test('a primary has the role, a valid tenure and the address', async (t) => {
  const held = [{ address: '10.77.0.100/24', held: true }];
  const serving = statusOf('n1', { role: 'primary', tenure: { valid: true }, address: held });
  t.ok(isPrimary(serving));
  t.notOk(isPrimary({ ...serving, role: 'secondary' }));
  t.notOk(isPrimary({ ...serving, tenure: { valid: false } }));
  t.notOk(isPrimary({ ...serving, address: statusOf('n1').address }));
});

t.test('nodes are in sync when nothing is under way and their trees are equal', async (t) => {
  const [volume] = statusOf('n1').volumes;
  if (volume === undefined) throw new Error('one volume');
  const { raft } = statusOf('n1');
  const cases = [
    { name: 'equal', other: {}, inSync: true },
    { name: 'another tree', other: { volumes: [{ ...volume, treeHash: 'bb' }] }, inSync: false },
    { name: 'missing', other: { volumes: [{ ...volume, missing: 1 }] }, inSync: false },
    { name: 'dirty', other: { volumes: [{ ...volume, dirty: 1 }] }, inSync: false },
    { name: 'no volume', other: { volumes: [] }, inSync: false },
    { name: 'unsettled', other: { replication: { mode: 'unsettled' } }, inSync: false },
    { name: 'leading', other: { replication: { mode: 'leading' } }, inSync: true },
    { name: 'behind', other: { raft: { ...raft, appliedIndex: 8 } }, inSync: false },
  ];
  for (const { name, other, inSync } of cases) {
    t.equal(areInSync([statusOf('n1'), statusOf('n2', other)]), inSync, name);
  }
  t.notOk(areInSync([]), 'nobody');
});

if (await enterLab(t, import.meta.filename)) {
  t.test('each node has its own configuration, and a test may change it', async (t) => {
    const cluster = await LabCluster.up({
      adjust: (id, config) => (id === 'n2' ? { ...config, timing: 'patient' } : config),
    });
    t.teardown(() => cluster.down());
    const { config, volume } = cluster.pathsOf('n2');
    const written = parse(readFileSync(config, 'utf8'));
    t.match(written, {
      node: { id: 'n2' },
      peers: { listen: '10.77.0.12:7400', tls: 'off', allowPlaintext: true },
      http: { listen: '127.0.0.1:7480' },
      volumes: [{ name: 'mail', path: volume }],
      address: [{ driver: 'ip', address: '10.77.0.100/24', interface: 'eth0' }],
      timing: 'patient',
    });
    t.match(written.members, [{ id: 'n1', origin: true }, { id: 'n2' }, { id: 'n3' }]);
    const other = parse(readFileSync(cluster.pathsOf('n1').config, 'utf8'));
    t.equal(other.timing, 'fast');
  });

  t.test('HTTP reaches the loopback of a machine, again after each of its ends', async (t) => {
    const cluster = await LabCluster.up({ nodes: 2 });
    t.teardown(() => cluster.down());
    const { network } = cluster;
    const serve = (id: string) => network.exec(id, [process.execPath, '-e', ECHO, 'script', id]);
    t.equal(await cluster.status('n1'), undefined, 'nobody answers');
    serve('n1');
    serve('n2');
    const answers = (id: string) =>
      until(`${id} answers`, async () => (await cluster.status(id))?.node === id);
    await answers('n1');
    await answers('n2');

    writeFileSync(cluster.pathsOf('n1').tokenFile, 'secret\n');
    const request = { method: 'POST', path: '/v1/barrier', body: 'wait' };
    const answer = await cluster.call('n1', request);
    t.match(answer, { status: 202, headers: { 'x-method': 'POST' } });
    t.match(JSON.parse(answer.body), { body: 'wait', authorization: 'Bearer secret' });
    await t.rejects(cluster.call('n1', { path: '/silent', timeoutMs: 50 }), 'it has an end');

    const underWay = cluster.call('n1', { path: '/silent', timeoutMs: 20_000 });
    const isLost = t.rejects(underWay, /lost its relay/);
    await network.killEverything('n1');
    await isLost;
    serve('n1');
    await answers('n1');
    await network.powerOff('n1');
    t.equal(await cluster.status('n1'), undefined);
    await network.boot('n1');
    serve('n1');
    await answers('n1');
  });

  t.test('daemon, guardian and service are told apart by what they run', async (t) => {
    const cluster = await LabCluster.up({ nodes: 1 });
    t.teardown(() => cluster.down());
    const directory = cluster.network.directoryOf('n1');
    const run = (script: string, before: string[], after: string[] = []) => {
      const path = join(directory, script);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, 'setInterval(() => {}, 1000)');
      cluster.network.exec('n1', [...before, process.execPath, path, ...after]);
    };
    run('build/src/cli/main.js', [], ['status', '--watch']);
    run('build/src/cli/main.js', [], ['run', '--config', 'build/src/service/guardian/main.js']);
    run('build/src/service/guardian/main.js', []);
    run('build/examples/mail/server.js', ['unshare', '--pid', '--fork', '--kill-child']);
    const found = await until('all are found', () => {
      const daemon = cluster.daemonOf('n1');
      const guardian = cluster.guardianOf('n1');
      const [service, ...more] = cluster.servicesOf('n1');
      return daemon && guardian && service && more.length === 0 && { daemon, guardian, service };
    });
    t.ok(found.daemon.argv.includes('run'));
    t.equal(new Set(Object.values(found).map(({ pid }) => pid)).size, 3);
    t.equal(cluster.network.processes('n1').length, 5, 'the four and the launcher');
    signalProcess(found.guardian.pid, 'SIGKILL');
    await until('the guardian is gone', () => cluster.guardianOf('n1') === undefined);
    t.equal(cluster.daemonOf('n1')?.pid, found.daemon.pid);
    t.equal(cluster.servicesOf('n1')[0]?.pid, found.service.pid);
  });
}
