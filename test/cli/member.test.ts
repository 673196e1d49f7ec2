/** `member` asks for what is meant, tells how it goes, and lists who belongs to the cluster. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import t, { type Test } from 'tap';
import { memberLines } from '../../src/cli/member-view.ts';
import { scratch } from '../support/scratch.ts';
import { type FakeOperation, fakeNode, operation, problem, TOKEN } from './fake-node.ts';
import { clusterReport, member } from './reports.ts';
import { runVerb } from './verb-process.ts';

const DONE = operation({
  state: 'done',
  phases: [
    { name: 'adding mail4 as a learner', ms: 30 },
    { name: 'mail4 catches up', ms: 90, progress: '12 entries (99 bytes) are missing' },
  ],
  result: { done: 'mail4 is a learner, and has everything', warnings: ['an even number'] },
});

async function run(
  t: Test,
  args: readonly string[],
  {
    view = DONE,
    status = 202,
    answer,
  }: { view?: FakeOperation; status?: number; answer?: object } = {},
) {
  const asked: { readonly url: string; readonly body: unknown }[] = [];
  const routes = (app: FastifyInstance): void => {
    app.post('/v1/*', async ({ url, body }, reply) => {
      asked.push({ url, body });
      return reply.code(status).send(answer ?? operation());
    });
    app.get('/v1/operations/op-1', async () => view);
    app.get('/v1/members', async () => clusterReport());
  };
  const { url } = await fakeNode(t, { routes });
  const folder = scratch(t).path;
  const file = join(folder, 'token');
  writeFileSync(file, TOKEN);
  const argv = ['member', ...args, '--url', url, '--token-file', file];
  const ended = await runVerb(t, argv, { cwd: folder });
  return { ...ended, asked };
}

t.test('a node is added, and its progress shown', async (t) => {
  const { code, stdout, stderr, asked } = await run(t, ['add', 'mail4', '10.77.0.14:7400']);
  t.equal(code, 0, stderr);
  t.same(asked, [{ url: '/v1/members', body: { id: 'mail4', address: '10.77.0.14:7400' } }]);
  t.match(stdout, /operation op-1\n.*adding mail4 as a learner\n.*mail4 catches up\n.*12 entries/s);
  t.match(stdout, /mail4 is a learner, and has everything\n$/);
  t.match(stderr, /warning: an even number/);
});

t.test('everything that is said of a member is passed on', async (t) => {
  const options = ['--promote', '--priority', '7', '--site', 'osaka', '--never-primary', '--yes'];
  const { asked } = await run(t, ['add', 'mail4', 'h:1', ...options]);
  t.same(asked, [
    {
      url: '/v1/members?yes=true',
      body: {
        ...{ id: 'mail4', address: 'h:1', promote: true, priority: 7, site: 'osaka' },
        canBePrimary: false,
      },
    },
  ]);
});

t.test('the other changes ask for theirs', async (t) => {
  for (const [args, url, body] of [
    [['remove', 'mail2', '--yes'], '/v1/members/mail2/remove?yes=true', {}],
    [['promote', 'mail4'], '/v1/members/mail4/promote', {}],
    [['demote', 'mail2', '--dry-run'], '/v1/members/mail2/demote?dryRun=true', {}],
    [['priority', 'mail2', '9'], '/v1/members/mail2/priority', { priority: 9 }],
  ] as const) {
    const { asked, code, stdout } = await run(t, args);
    t.same(asked, [{ url, body }]);
    t.equal(code, 0);
    if (url.endsWith('dryRun=true')) t.match(stdout, /^would begin with: mail4 is a learner/m);
  }
});

t.test('a refusal is exit code 4 with the reason, wrong usage 2', async (t) => {
  const answer = problem(403, 'REFUSED', 'bring back mail3 first');
  const refused = await run(t, ['remove', 'mail2', '--yes'], { status: 403, answer });
  t.equal(refused.code, 4);
  t.match(refused.stderr, /bring back mail3 first/);
  const wrong = await run(t, ['priority', 'mail2', '1001']);
  t.equal(wrong.code, 2);
  t.same(wrong.asked, []);
});

t.test('the list shows votes, places and how far each is', async (t) => {
  const { stdout, code } = await run(t, ['list']);
  t.equal(code, 0);
  t.match(stdout, /MEMBER .* IS A .* STATE/);
  const json = await run(t, ['list', '-o', 'json']);
  t.match(JSON.parse(json.stdout), { members: [{ id: 'mail1' }] });
});

t.test('a line for each member says what it is', async (t) => {
  const lines = memberLines(
    clusterReport({
      members: [
        member('mail1', { isSelf: true, isLeader: true, isPrimary: true }),
        member('mail2', { lag: { entries: 12, bytes: 4096, seconds: 1 } }),
        member('mail4', {
          role: 'learner',
          eligible: false,
          reason: 'it is a learner',
          site: 'osaka',
        }),
      ],
    }),
  );
  t.match(lines[1], /^mail1 .* voter .* one +primary$/);
  t.match(lines[2], /^mail2 .* 12 entries, 4.0 KiB .* can take over$/);
  t.match(lines[3], /^mail4 .* learner .* osaka .* it is a learner$/);
  t.equal(lines[4], '2 votes, 2 needed');
});
