/** `switchover` moves the service once it is meant, shows how, and never takes silence for an outcome. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import t from 'tap';
import { builtProgram } from '../lab/project-files.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { type FakeOperation, fakeNode, operation, problem, TOKEN } from './fake-node.ts';
import { runVerb } from './verb-process.ts';

const SCRIPT = '/usr/bin/script';

function tokenFile({ path }: Scratch): string {
  const file = join(path, 'token');
  writeFileSync(file, `${TOKEN}\n`, { mode: 0o600 });
  return file;
}

/** Begins an operation that goes through `views`, one further at each look. */
function moves(
  views: readonly FakeOperation[],
  seen: { body?: unknown; token?: string | undefined } = {},
): { routes: (app: FastifyInstance) => void } {
  let looks = 0;
  const routes = (app: FastifyInstance): void => {
    app.post('/v1/switchover', async (request, reply) => {
      seen.body = request.body;
      seen.token = request.headers.authorization;
      return reply.code(202).send(operation());
    });
    app.get('/v1/operations/op-1', async (_, reply) => {
      const view = views[Math.min(looks, views.length - 1)];
      looks += 1;
      if (view !== undefined) return view;
      return reply.code(404).send(problem(404, 'NOT_FOUND', 'no operation "op-1"'));
    });
  };
  return { routes };
}

const STOP = { name: 'stopping', ms: 310 };
const START = { name: 'starting', ms: 120 };
const result = { from: 'mail1', to: 'mail2' };

t.test('phases are shown as they come, then the result and the total', async (t) => {
  const seen: { body?: unknown; token?: string } = {};
  const views = [
    operation({ phases: [STOP] }),
    operation({ phases: [STOP] }),
    operation({ phases: [STOP, START] }),
    operation({ state: 'done', phases: [STOP, START], result }),
  ];
  const node = await fakeNode(t, moves(views, seen));
  const place = scratch(t);
  const argv = ['switchover', '--to', 'mail2', '--url', node.url];
  const ended = await runVerb(t, [...argv, '--token-file', tokenFile(place)], { cwd: place.path });
  t.equal(ended.code, 0, ended.stderr);
  t.match(
    ended.stdout,
    /^operation op-1\n {2}\+0\.00 s {2}stopping\n {2}\+0\.31 s {2}starting\n {2}from {2}mail1\n {2}to {4}mail2\ndone in \S+ m?s\n$/,
  );
  t.same(seen, { body: { to: 'mail2' }, token: `Bearer ${TOKEN}` });
});

t.test('-o json prints the ended operation alone', async (t) => {
  const node = await fakeNode(t, moves([operation({ state: 'done', phases: [STOP], result })]));
  const argv = ['switchover', '--url', node.url, '-o', 'json'];
  const ended = await runVerb(t, argv, { cwd: scratch(t).path });
  t.equal(ended.code, 0, ended.stderr);
  t.same(JSON.parse(ended.stdout).result, result);
});

t.test('--dry-run asks for a dry run and prints what it would do', async (t) => {
  const node = await fakeNode(t, {
    routes: (app) =>
      app.post('/v1/switchover', async () => operation({ state: 'done', result: { to: 'mail3' } })),
  });
  const argv = ['switchover', '--dry-run', '--url', node.url];
  const ended = await runVerb(t, argv, { cwd: scratch(t).path });
  t.match(ended, { code: 0, stdout: '  to  mail3\n', stderr: '' });
  t.same(node.asked, ['POST /v1/switchover?dryRun=true']);
});

for (const [code, status, exitCode] of [
  ['REFUSED', 403, 4],
  ['PRECONDITION_FAILED', 409, 1],
  ['NOT_LEADER', 503, 3],
  ['UNAUTHORIZED', 401, 2],
  ['USAGE', 400, 2],
] as const) {
  t.test(`an answer of ${code} exits ${exitCode} with its reason`, async (t) => {
    const node = await fakeNode(t, {
      routes: (app) =>
        app.post('/v1/switchover', async (_, reply) =>
          reply.code(status).send(problem(status, code, 'mail2 is too far behind')),
        ),
    });
    const ended = await runVerb(t, ['switchover', '--url', node.url], { cwd: scratch(t).path });
    t.equal(ended.code, exitCode);
    t.match(ended.stderr, /^mailraft: mail2 is too far behind/);
  });
}

t.test('an operation that fails later exits by its problem', async (t) => {
  const failed = operation({
    state: 'failed',
    phases: [STOP],
    problem: { ...problem(403, 'REFUSED', 'the lease can not be handed on'), operation: 'op-1' },
  });
  const node = await fakeNode(t, moves([failed]));
  const ended = await runVerb(t, ['switchover', '--url', node.url], { cwd: scratch(t).path });
  t.equal(ended.code, 4);
  t.match(ended.stdout, /stopping/);
  t.match(ended.stderr, /the lease can not be handed on; this was operation op-1 \(REFUSED\)/);
});

t.test('an operation that does not end in time exits 5 and is named', async (t) => {
  const node = await fakeNode(t, moves([operation({ phases: [STOP] })]));
  const argv = ['switchover', '--timeout', '1', '--url', node.url];
  const ended = await runVerb(t, argv, { cwd: scratch(t).path });
  t.equal(ended.code, 5);
  t.match(ended.stderr, /operation op-1 has not ended in time; its outcome is unknown/);
});

t.test('a node that forgot the operation leaves its outcome unknown', async (t) => {
  const node = await fakeNode(t, moves([]));
  const ended = await runVerb(t, ['switchover', '--url', node.url], { cwd: scratch(t).path });
  t.equal(ended.code, 5);
  t.match(ended.stderr, /operation op-1 is not known to .* any more; its outcome is unknown/);
});

t.test('a connection that breaks before the answer leaves the outcome unknown', async (t) => {
  const node = await fakeNode(t, {
    routes: (app) =>
      app.post('/v1/switchover', async (request, reply) => {
        request.raw.socket.destroy();
        return reply;
      }),
  });
  const ended = await runVerb(t, ['switchover', '--url', node.url], { cwd: scratch(t).path });
  t.equal(ended.code, 5);
  t.match(ended.stderr, /the connection broke: .*; the outcome is unknown/);
});

t.test('a token file that is not there exits 2 before anything is asked', async (t) => {
  const node = await fakeNode(t);
  const argv = ['switchover', '--url', node.url, '--token-file', 'nowhere'];
  const ended = await runVerb(t, argv, { cwd: scratch(t).path });
  t.equal(ended.code, 2);
  t.match(ended.stderr, /the token file can not be read: ENOENT/);
  t.same(node.asked, []);
});

const skip = existsSync(SCRIPT) ? false : `no ${SCRIPT} to make a terminal with`;
for (const [typed, code, calls] of [
  ['n\n', 1, ['GET /cluster']],
  ['\x04', 1, ['GET /cluster']],
  ['y\n', 0, ['GET /cluster', 'POST /v1/switchover', 'GET /v1/operations/op-1']],
] as const) {
  t.test(`on a terminal, ${JSON.stringify(typed)} exits ${code}`, { skip }, async (t) => {
    const node = await fakeNode(t, moves([operation({ state: 'done', result })]));
    const command = `${process.execPath} ${builtProgram('src/cli/main.ts')} switchover --url ${node.url}`;
    const argv = ['--quiet', '--return', '--command', command, '/dev/null'];
    const terminal = spawn(SCRIPT, argv, { cwd: scratch(t).path, stdio: 'pipe' });
    t.teardown(() => terminal.kill('SIGKILL'));
    let shown = '';
    terminal.stdout.on('data', (chunk) => {
      shown += chunk;
      if (String(chunk).includes('[y/N]')) terminal.stdin.write(typed);
    });
    const [exitCode] = await once(terminal, 'close');
    t.equal(exitCode, code, shown);
    t.match(shown, /move the service of example from mail1 to the best member\?/);
    t.same(node.asked, calls);
  });
}
