/** `status` says how the cluster does, to people, to programs and by its exit code. */

import { type AddressInfo, createServer } from 'node:net';
import t from 'tap';
import { scratch } from '../support/scratch.ts';
import { until } from '../support/until.ts';
import { fakeNode, problem } from './fake-node.ts';
import { degradedCluster, leaderlessCluster, statusReport } from './reports.ts';
import { runVerb, VerbProcess } from './verb-process.ts';

t.test('a healthy cluster exits 0 and shows members and node', async (t) => {
  const node = await fakeNode(t);
  const cwd = scratch(t).path;
  const ended = await runVerb(t, ['status', '--url', node.url], { cwd });
  t.equal(ended.code, 0);
  t.equal(ended.stderr, '');
  t.match(ended.stdout, /^example: healthy, primary mail1, term 7/);
  t.match(ended.stdout, /^mail1 +mail1\.example:7400 +voter +primary, leader +- +itself +-$/m);
  t.match(ended.stdout, /^mail2 +mail2\.example:7400 +voter +- +none +80 ms ago +yes$/m);
  t.match(ended.stdout, /epoch 7, valid for 4\.2 s/);
  t.match(ended.stdout, /10\.77\.0\.100\/24 held here/);
  t.match(ended.stdout, /mail at \/srv\/mail: 5,021 files, 313\.0 MiB/);
  t.notOk(ended.stdout.includes('\x1b'), 'no colours in a pipe');
});

t.test('a member that can not take over exits 1 and is named with the reason', async (t) => {
  const node = await fakeNode(t, { cluster: degradedCluster });
  const ended = await runVerb(t, ['status', '--url', node.url], { cwd: scratch(t).path });
  t.equal(ended.code, 1);
  t.match(ended.stdout, /^example: degraded/);
  t.match(ended.stdout, /! mail3 can not take over: has not answered for 12\.0 s/);
  t.match(ended.stdout, /1,204 entries, 3\.2 MiB, 11\.8 s/);
});

t.test('a cluster without a primary exits 3', async (t) => {
  const node = await fakeNode(t, {
    cluster: leaderlessCluster,
    status: () => statusReport({ role: 'secondary' }),
  });
  const ended = await runVerb(t, ['status', '--url', node.url], { cwd: scratch(t).path });
  t.equal(ended.code, 3);
  t.match(ended.stdout, /^example: no primary, term 7/);
  t.match(ended.stdout, /^mail2 .* unknown here /m, 'a lag that nobody measures is not none');
});

t.test('a node that is not there exits 3 and says where it was looked for', async (t) => {
  const node = await fakeNode(t);
  await node.stop();
  const ended = await runVerb(t, ['status', '--url', node.url], { cwd: scratch(t).path });
  t.equal(ended.code, 3);
  t.equal(ended.stdout, '');
  t.match(ended.stderr, `mailraft: cannot connect to ${node.url}`);
});

t.test('a node that accepts and says nothing exits 5', async (t) => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await until(() => server.listening, 'the silent server to listen');
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ended = await runVerb(t, ['status', '--url', url], { cwd: scratch(t).path });
  t.equal(ended.code, 5);
  t.match(ended.stderr, /no answer within 5 s/);
});

t.test('a problem of the node is told with its detail and its exit code', async (t) => {
  const node = await fakeNode(t, {
    routes: (app) =>
      app.addHook('preHandler', async (_, reply) => {
        const body = problem(503, 'NO_QUORUM', 'no node leads a majority here');
        return reply.code(503).type('application/problem+json').send(JSON.stringify(body));
      }),
  });
  const ended = await runVerb(t, ['status', '--url', node.url], { cwd: scratch(t).path });
  t.equal(ended.code, 3);
  t.equal(ended.stderr, 'mailraft: no node leads a majority here (NO_QUORUM)\n');
});

t.test('something else that speaks HTTP is not taken for a node', async (t) => {
  const node = await fakeNode(t, { status: () => ({ hello: 'world' }) });
  const ended = await runVerb(t, ['status', '--url', node.url], { cwd: scratch(t).path });
  t.equal(ended.code, 1);
  t.match(ended.stderr, /no mailraft node of this version: its \/status has no string "node"/);
});

t.test('-o json, before or after the verb, prints one object with the verdict', async (t) => {
  const node = await fakeNode(t, { cluster: degradedCluster });
  const cwd = scratch(t).path;
  for (const argv of [
    ['status', '--url', node.url, '-o', 'json'],
    ['-o', 'json', '--url', node.url, 'status'],
  ]) {
    const ended = await runVerb(t, argv, { cwd });
    t.equal(ended.code, 1);
    const look = JSON.parse(ended.stdout);
    t.same(Object.keys(look), ['status', 'cluster', 'health']);
    t.equal(look.status.node, 'mail1');
    t.equal(look.cluster.members.length, 3);
    t.equal(look.health.exitCode, 1);
    t.match(look.health.reasons, ['mail3 can not take over: has not answered for 12.0 s']);
  }
});

t.test('text from elsewhere can not command the terminal', async (t) => {
  const hostile = 'gone \x1b[2J\x1b]0;title\x07\r\nroot$ ok';
  const node = await fakeNode(t, {
    status: () => {
      const report = statusReport({ warnings: [`look: ${hostile}`] });
      const probe = { name: 'smtp', verdict: 'failing' as const, atMs: null, text: hostile };
      return { ...report, service: { ...report.service, probes: [probe] } };
    },
  });
  const ended = await runVerb(t, ['status', '--url', node.url], { cwd: scratch(t).path });
  t.equal(ended.code, 1);
  t.notMatch(ended.stdout, /[^\P{Cc}\n]/u, 'no control character but the ends of lines');
  t.match(ended.stdout, /note: look: gone .*root\$ ok/);
});

t.test('--watch appends a line each second, also about a node that goes away', async (t) => {
  // given a watch on a healthy node
  let isDegraded = false;
  const node = await fakeNode(t, {
    cluster: () => (isDegraded ? degradedCluster() : undefined),
  });
  const argv = ['status', '--watch', '--url', node.url];
  const watch = new VerbProcess(t, argv, { cwd: scratch(t).path });
  const isSeen = (what: RegExp) => () => what.test(watch.stdout);
  await until(isSeen(/^\S+Z healthy primary=mail1 leader=mail1 term=7 epoch=7 /m), 'healthy');
  // when it degrades, then goes away
  isDegraded = true;
  await until(isSeen(/^\S+Z degraded primary=mail1 .* mail3 can not take over/m), 'degraded');
  await node.stop();
  await until(isSeen(/^\S+Z unknown cannot connect/m), 'unknown');
  // then the watch goes on until it is interrupted, and ends with the last verdict
  t.equal(watch.child.exitCode, null);
  watch.child.kill('SIGINT');
  t.match(await watch.ended, { code: 3, signal: null, stderr: '' });
  t.notOk(watch.stdout.includes('\x1b'));
});

t.test('--watch -o json prints an object a line', async (t) => {
  const node = await fakeNode(t);
  const argv = ['status', '--watch', '-o', 'json', '--url', node.url];
  const watch = new VerbProcess(t, argv, { cwd: scratch(t).path });
  await until(() => watch.stdout.split('\n').length > 2, 'two lines');
  watch.child.kill('SIGTERM');
  const { code, stdout } = await watch.ended;
  t.equal(code, 0);
  for (const line of stdout.trimEnd().split('\n')) t.equal(JSON.parse(line).health.exitCode, 0);
});

t.test('--watch ends quietly when its reader has seen enough', async (t) => {
  const node = await fakeNode(t);
  const argv = ['status', '--watch', '--url', node.url];
  const watch = new VerbProcess(t, argv, { cwd: scratch(t).path });
  await until(() => watch.stdout.includes('healthy'), 'a first line');
  watch.child.stdout?.destroy();
  t.match(await watch.ended, { code: 0, stderr: '' });
});
