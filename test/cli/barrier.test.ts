/** `barrier` prints the index up to which everything is committed, or does not exit 0. */

import type { FastifyReply } from 'fastify';
import t from 'tap';
import { scratch } from '../support/scratch.ts';
import { type FakeNode, fakeNode, operation, problem } from './fake-node.ts';
import { runVerb } from './verb-process.ts';

const done = operation({ state: 'done', result: { index: 12_041, copies: 2 } });

async function nodeThat(t: Test, answer: (reply: FastifyReply) => unknown): Promise<FakeNode> {
  return await fakeNode(t, {
    routes: (app) => {
      app.post('/v1/barrier', async (_, reply) => answer(reply));
      app.get('/v1/operations/op-1', async () => done);
    },
  });
}
type Test = Parameters<typeof fakeNode>[0];

t.test('a barrier that is reached at once prints its index', async (t) => {
  const node = await nodeThat(t, () => done);
  const ended = await runVerb(t, ['barrier', '--url', node.url], { cwd: scratch(t).path });
  t.match(ended, { code: 0, stdout: '12041\n', stderr: '' });
  t.same(node.asked, ['POST /v1/barrier?wait=10s']);
});

t.test('a barrier that takes longer is waited for', async (t) => {
  const node = await nodeThat(t, (reply) => reply.code(202).send(operation()));
  const argv = ['barrier', '--url', node.url, '-o', 'json'];
  const ended = await runVerb(t, argv, { cwd: scratch(t).path });
  t.equal(ended.code, 0, ended.stderr);
  t.same(JSON.parse(ended.stdout), { index: 12_041, copies: 2 });
});

t.test('a barrier that a node without quorum refuses exits 3', async (t) => {
  const body = problem(503, 'NO_QUORUM', 'no node leads a majority');
  const node = await nodeThat(t, (reply) => reply.code(503).send(body));
  const ended = await runVerb(t, ['barrier', '--url', node.url], { cwd: scratch(t).path });
  t.match(ended, { code: 3, stdout: '' });
});

t.test('a barrier without an index is no success', async (t) => {
  const node = await nodeThat(t, () => operation({ state: 'done', result: {} }));
  const ended = await runVerb(t, ['barrier', '--url', node.url], { cwd: scratch(t).path });
  t.match(ended, { code: 1, stdout: '', stderr: /without naming its index/ });
});
