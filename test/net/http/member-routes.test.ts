/** How the members are changed over HTTP: what is asked for arrives, and nothing without the token. */

import t from 'tap';
import { MailraftError } from '../../../src/errors.ts';
import type { OperationView } from '../../../src/net/http/operations.ts';
import { until } from '../../support/until.ts';
import { AUTHORIZED, serve } from './fake-node.ts';

const options = { isConfirmed: false, isDryRun: false };

t.test('each route asks for its change', async (t) => {
  const { node, server } = serve(t);
  const ask = async (method: 'POST' | 'DELETE', url: string, payload?: object) => {
    const body = payload === undefined ? {} : { payload };
    const answer = await server.app.inject({ method, url, headers: AUTHORIZED, ...body });
    t.equal(answer.statusCode, 202, `${method} ${url}: ${answer.body}`);
    const { id } = answer.json<OperationView>();
    t.equal(answer.headers.location, `/v1/operations/${id}`);
    await until(async () => {
      const view = await server.app.inject(`/v1/operations/${id}`);
      return view.json<OperationView>().state === 'done';
    }, 'its end');
    return node.changes.at(-1);
  };
  const all = { address: 'm4:7400', promote: true, priority: 5, site: 'x', canBePrimary: false };
  t.same(await ask('POST', '/v1/members', { id: 'mail4', ...all }), {
    ...{ kind: 'add', id: 'mail4', address: 'm4:7400', isPromoted: true, priority: 5, site: 'x' },
    ...{ canBePrimary: false, ...options },
  });
  t.same(await ask('POST', '/v1/members', { id: 'mail4' }), {
    ...{ kind: 'add', id: 'mail4', isPromoted: false, ...options },
  });
  for (const kind of ['promote', 'demote', 'remove']) {
    const asked = await ask('POST', `/v1/members/mail2/${kind}`);
    t.same(asked, { kind, id: 'mail2', ...options });
  }
  const asked = { kind: 'remove', id: 'mail2', ...options, isConfirmed: true };
  t.same(await ask('DELETE', '/v1/members/mail2?yes=true'), asked);
  t.same(await ask('POST', '/v1/members/mail2/priority', { priority: 9 }), {
    ...{ kind: 'priority', id: 'mail2', priority: 9, ...options },
  });
});

t.test('the list is open, changes need the token, and a fault is named', async (t) => {
  const { node, server } = serve(t);
  t.match((await server.app.inject('/v1/members')).json(), { members: [{ role: 'voter' }] });
  for (const [method, url] of [
    ['POST', '/v1/members'],
    ['POST', '/v1/members/mail2/remove'],
    ['DELETE', '/v1/members/mail2'],
    ['POST', '/v1/members/mail2/priority'],
  ] as const) {
    const answer = await server.app.inject({ method, url });
    t.match(answer.json(), { code: 'UNAUTHORIZED' }, `${method} ${url}`);
  }
  for (const [url, payload] of [
    ['/v1/members', {}],
    ['/v1/members', { id: 'No Name' }],
    ['/v1/members', { id: 'mail4', role: 'voter' }],
    ['/v1/members/mail2/priority', { priority: 1001 }],
    ['/v1/members/mail2/priority', {}],
    ['/v1/members/mail2/remove?yes=perhaps', {}],
  ] as const) {
    const answer = await server.app.inject({ method: 'POST', url, payload, headers: AUTHORIZED });
    t.match(answer.json(), { code: 'USAGE' }, `${url} ${JSON.stringify(payload)}`);
  }
  t.same(node.changes, []);
});

t.test('how far a phase has come is told in its place', async (t) => {
  const { node, server } = serve(t);
  node.onChange = async (report) => {
    report('mail4 catches up', '900 entries');
    report('mail4 catches up', '20 entries');
    report('giving mail4 a vote');
    return { done: 'mail4 is a voter', warnings: [] };
  };
  const url = '/v1/members?wait=10s';
  const asked = { method: 'POST', url, headers: AUTHORIZED, payload: { id: 'mail4' } } as const;
  const answer = await server.app.inject(asked);
  t.equal(answer.statusCode, 200);
  const view = answer.json<OperationView>();
  t.same(
    view.phases.map(({ name, progress }) => [name, progress]),
    [
      ['mail4 catches up', '20 entries'],
      ['giving mail4 a vote', null],
    ],
  );
  t.same(view.result, { done: 'mail4 is a voter', warnings: [] });
});

t.test('one change at a time; a refusal is a problem with its reason', async (t) => {
  const { node, server } = serve(t);
  let end = () => {};
  node.onChange = () =>
    new Promise((resolve) => {
      end = () => resolve({});
    });
  const asked = (url: string) => ({ method: 'POST', url, headers: AUTHORIZED }) as const;
  await server.app.inject(asked('/v1/members/mail2/promote'));
  const second = await server.app.inject(asked('/v1/members/mail3/promote'));
  t.match(second.json(), {
    code: 'PRECONDITION_FAILED',
    detail: /a change of the members is under/,
  });
  end();
  node.onChange = async () => {
    throw new MailraftError('REFUSED', 'bring back mail2 first');
  };
  const refused = await server.app.inject(asked('/v1/members/mail3/remove?dryRun=true'));
  t.equal(refused.statusCode, 403);
  t.match(refused.json(), { code: 'REFUSED', detail: 'bring back mail2 first' });
  t.match(node.changes.at(-1), { isDryRun: true });
});
