/** What a node answers over HTTP, and what it refuses to understand. */

import { Ajv } from 'ajv';
import t from 'tap';
import { HttpServer } from '../../../src/net/http/http-server.ts';
import { NodeMetrics } from '../../../src/net/http/metrics.ts';
import type { Problem } from '../../../src/net/http/problem.ts';
import {
  AUTHORIZED,
  CLUSTER,
  FakeNode,
  HISTORY,
  SALVAGE,
  SNAPSHOT,
  STATUS,
  serve,
  serveOnPort,
  TOKEN,
} from './fake-node.ts';

t.test('role endpoints answer 200 or 503 and nothing else, the same on HEAD', async (t) => {
  const { node, server } = serve(t);
  const expectations = [
    ['/primary', () => node.isPrimary],
    ['/leader', () => node.isLeader],
    ['/secondary', () => node.isSecondary],
    ['/replica', () => false],
    ['/witness', () => false],
  ] as const;

  for (const isPrimary of [true, false]) {
    Object.assign(node, { isPrimary, isLeader: !isPrimary, isSecondary: !isPrimary });
    node.role = isPrimary ? 'primary' : 'secondary';
    for (const [url, holds] of expectations) {
      const status = holds() ? 200 : 503;
      const got = await server.app.inject({ url });
      t.equal(got.statusCode, status, `GET ${url}`);
      t.equal(got.headers['x-mailraft-term'], '7');
      t.equal(got.headers['x-mailraft-role'], node.role);
      t.strictSame(got.json(), { role: node.role, term: 7 });
      const head = await server.app.inject({ method: 'HEAD', url });
      t.equal(head.statusCode, status, `HEAD ${url}`);
      t.equal(head.headers['x-mailraft-role'], node.role);
      t.equal(head.body, '');
    }
  }
});

t.test('a learner is a replica, at a site of its own too, and a witness a witness', async (t) => {
  const { node, server } = serve(t);
  const statusOf = async (url: string) => (await server.app.inject({ url })).statusCode;
  for (const role of ['replica', 'dr', 'witness', 'joining'] as const) {
    node.role = role;
    t.equal(await statusOf('/replica'), ['replica', 'dr'].includes(role) ? 200 : 503, role);
    t.equal(await statusOf('/witness'), role === 'witness' ? 200 : 503, role);
  }
});

t.test('readyz has a line per check and fails when one does', async (t) => {
  const { node, server } = serve(t);
  t.equal((await server.app.inject('/livez')).statusCode, 200);

  const ready = await server.app.inject('/readyz');
  t.equal(ready.statusCode, 200);
  t.match(ready.headers['content-type'], /^text\/plain/);

  node.checks = [
    { name: 'leader', ok: true, text: 'mail1 leads' },
    { name: 'files', ok: false, text: '12 files are missing' },
  ];
  const { statusCode, body } = await server.app.inject('/readyz');
  t.equal(statusCode, 503);
  t.equal(body, '[+] leader: mail1 leads\n[-] files: 12 files are missing\n');
  t.equal((await server.app.inject('/livez')).statusCode, 200, 'and lives all the same');
});

t.test('reports are sent as the node gives them', async (t) => {
  const { server } = serve(t);
  for (const [url, report] of [
    ['/status', STATUS],
    ['/cluster', CLUSTER],
    ['/history', HISTORY],
    ['/v1/salvage', SALVAGE],
  ] as const) {
    const { statusCode, headers, json } = await server.app.inject(url);
    t.equal(statusCode, 200, url);
    t.match(headers['content-type'], /^application\/json/);
    t.equal(headers['cache-control'], 'no-store');
    t.strictSame(json(), report, url);
  }
});

t.test('a report that fails is a problem, and the server goes on', async (t) => {
  const { node, server } = serve(t);
  node.cluster = () => {
    throw new Error('Something Broke');
  };
  const { statusCode, json } = await server.app.inject('/cluster');
  t.equal(statusCode, 500);
  t.match(json(), { code: 'INVARIANT', detail: 'Something Broke', status: 500 });
  t.equal((await server.app.inject('/status')).statusCode, 200);
});

t.test('nothing is changed without the token', async (t) => {
  const { node, server } = serve(t);
  const wrongs: Readonly<Record<string, string>>[] = [
    {},
    { authorization: 'Bearer' },
    { authorization: 'Bearer wrong' },
    { authorization: `Bearer ${AUTHORIZED['authorization']}` },
    { authorization: AUTHORIZED['authorization']?.replace('Bearer', 'Basic') ?? '' },
    { authorization: AUTHORIZED['authorization']?.slice(0, -1) ?? '' },
  ];
  for (const headers of wrongs) {
    for (const url of ['/v1/switchover', '/v1/switchover?dryRun=true', '/v1/barrier']) {
      const answer = await server.app.inject({ method: 'POST', url, headers });
      t.equal(answer.statusCode, 401, `${url} with ${JSON.stringify(headers)}`);
      t.match(answer.headers['www-authenticate'], /^Bearer/);
      t.match(answer.headers['content-type'], /^application\/problem\+json/);
      t.match(answer.json(), { code: 'UNAUTHORIZED', status: 401 });
    }
  }
  t.strictSame(node.asked, []);

  const lower = { authorization: AUTHORIZED['authorization']?.replace('Bearer', 'bearer') ?? '' };
  const answer = await server.app.inject({ method: 'POST', url: '/v1/barrier', headers: lower });
  t.equal(answer.statusCode, 202, 'the name of the scheme has no case');
});

t.test('a request that is not wholly understood is refused', async (t) => {
  const { node, server } = serve(t);
  const json = { ...AUTHORIZED, 'content-type': 'application/json' };
  const refused = [
    [400, '/v1/switchover', json, '{"to":'],
    [400, '/v1/switchover', json, '{"to":5}'],
    [400, '/v1/switchover', json, '{"to":""}'],
    [400, '/v1/switchover', json, '["mail2"]'],
    [400, '/v1/switchover', json, 'null'],
    [400, '/v1/switchover', json, '{"target":"mail2"}'],
    [400, '/v1/switchover', json, '{"__proto__":{"to":"mail2"}}'],
    [400, '/v1/switchover?dryrun=true', AUTHORIZED, ''],
    [400, '/v1/switchover?dryRun=yes', AUTHORIZED, ''],
    [400, '/v1/switchover?dryRun=true&dryRun=false', AUTHORIZED, ''],
    [400, '/v1/switchover?wait=10', AUTHORIZED, ''],
    [400, '/v1/switchover?wait=11m', AUTHORIZED, ''],
    [400, '/v1/barrier?wait=-1s', AUTHORIZED, ''],
    [400, '/v1/barrier', json, '{"to":"mail2"}'],
    [400, '/v1/barrier?dryRun=true', AUTHORIZED, ''],
    [415, '/v1/barrier', { ...AUTHORIZED, 'content-type': 'text/plain' }, 'x'],
    [413, '/v1/switchover', json, JSON.stringify({ to: 'x'.repeat(64 * 1024) })],
  ] as const;
  for (const [status, url, headers, payload] of refused) {
    const shown = `${url} with ${payload.slice(0, 40)}`;
    const answer = await server.app.inject({ method: 'POST', url, headers, payload });
    t.equal(answer.statusCode, status, shown);
    t.match(answer.headers['content-type'], /^application\/problem\+json/, shown);
    t.match(answer.json(), { code: 'USAGE', status, title: String, detail: String }, shown);
  }
  t.strictSame(node.asked, []);

  const { detail } = (
    await server.app.inject({
      method: 'POST',
      url: '/v1/switchover',
      headers: json,
      payload: '{"target":"mail2"}',
    })
  ).json<Problem>();
  t.match(detail, '"target"', 'the unknown key is named');
});

t.test('a body may be empty, with and without a type', async (t) => {
  const { node, server } = serve(t);
  for (const headers of [AUTHORIZED, { ...AUTHORIZED, 'content-type': 'application/json' }]) {
    const url = '/v1/switchover?wait=5s';
    const { statusCode } = await server.app.inject({ method: 'POST', url, headers });
    t.equal(statusCode, 200);
  }
  t.strictSame(node.asked, [
    { to: undefined, dryRun: false },
    { to: undefined, dryRun: false },
  ]);
});

t.test('an unknown route is a problem, also with a bad address', async (t) => {
  const { server } = serve(t);
  for (const [method, url, status] of [
    ['GET', '/nothing', 404],
    ['POST', '/status', 404],
    ['DELETE', '/v1/operations/x', 404],
    ['GET', '/v1/operations/unknown', 404],
    ['GET', '/%c0%af', 400],
  ] as const) {
    const answer = await server.app.inject({ method, url });
    t.equal(answer.statusCode, status, `${method} ${url}`);
    t.match(answer.headers['content-type'], /^application\/problem\+json/);
    t.match(answer.json(), { status, code: status === 404 ? 'NOT_FOUND' : 'USAGE' });
  }
});

t.test('an address that is taken is named', async (t) => {
  const { server } = await serveOnPort(t);
  t.ok(server.port > 0);
  const other = new HttpServer({
    listen: { host: '127.0.0.1', port: server.port },
    token: TOKEN,
    node: new FakeNode(),
    metrics: new NodeMetrics(() => SNAPSHOT),
  });
  t.teardown(() => other.close());
  await t.rejects(other.start(), {
    code: 'CONFIG_INVALID',
    message: new RegExp(`EADDRINUSE.*127\\.0\\.0\\.1:${server.port}`),
  });
});

interface Described {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
}

interface OperationObject {
  readonly operationId: string;
  readonly security?: unknown;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

t.test('the description names every route that the server has', async (t) => {
  const { server } = serve(t);
  const { openapi, paths } = (await server.app.inject('/openapi.json')).json<Described>();
  t.equal(openapi, '3.1.0');

  const described = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((verb) => `${verb.toUpperCase()} ${path}`),
  );
  t.strictSame(described.sort(), routesOf(server.app.printRoutes({ commonPrefix: false })));
  for (const promised of ['GET /primary', 'HEAD /primary', 'GET /', 'POST /v1/barrier']) {
    t.ok(described.includes(promised), promised);
  }

  const operations = Object.values(paths).flatMap((path) => Object.entries(path));
  const ids = operations.map(([, { operationId }]) => operationId);
  t.equal(new Set(ids).size, ids.length, 'each has an id of its own');
  for (const [verb, { security, operationId }] of operations) {
    const isChange = verb === 'post' || verb === 'delete';
    t.equal(security !== undefined, isChange, `${verb} ${operationId}`);
  }
  const { parameters } = paths['/v1/operations/{id}']?.['get'] ?? {};
  t.match(parameters, [{ name: 'id', in: 'path', required: true }]);
});

t.test('what is answered is what the description says', async (t) => {
  const { server } = serve(t);
  const { paths } = (await server.app.inject('/openapi.json')).json<Described>();
  const ajv = new Ajv({ strict: false, allErrors: true });
  const isAsDescribed = (path: string, status: number, body: unknown): void => {
    const verb = path === '/v1/barrier' ? 'post' : 'get';
    const answer = paths[path]?.[verb]?.responses[status];
    const schema = answer?.content?.['application/json']?.schema;
    if (schema === undefined) throw new Error(`${path} does not describe ${status}`);
    const validate = ajv.compile(schema);
    t.ok(validate(body), `${path} ${status}: ${ajv.errorsText(validate.errors)}`);
    t.notOk(validate('something else'), `${path} describes something`);
  };

  for (const path of ['/status', '/cluster', '/history', '/v1/salvage', '/primary', '/witness']) {
    const answer = await server.app.inject(path);
    isAsDescribed(path, answer.statusCode, answer.json());
  }
  const request = { method: 'POST', url: '/v1/barrier?wait=5s', headers: AUTHORIZED } as const;
  const done = (await server.app.inject(request)).json<{ id: string }>();
  isAsDescribed('/v1/barrier', 200, done);
  const found = (await server.app.inject(`/v1/operations/${done.id}`)).json<unknown>();
  isAsDescribed('/v1/operations/{id}', 200, found);
});

/** Verb and path of each route in the tree that fastify prints, in the form of OpenAPI. */
function routesOf(tree: string): string[] {
  const path: string[] = [];
  const routes: string[] = [];
  for (const line of tree.split('\n')) {
    const [, indent = '', part = '', verbs = ''] =
      /^([│ ]*)[├└]── (\S*)(?: \((.*)\))?/.exec(line) ?? [];
    if (part === '') continue;
    path.splice(indent.length / 4, path.length, part);
    const whole = path
      .join('')
      .replaceAll(/:(\w+)/g, '{$1}')
      .replaceAll('//', '/');
    for (const verb of verbs.split(', ').filter((text) => text !== ''))
      routes.push(`${verb} ${whole}`);
  }
  return routes.sort();
}
