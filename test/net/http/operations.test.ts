/** Operations can be waited for and looked up, and never pile up without bound. */

import t from 'tap';
import { MailraftError } from '../../../src/errors.ts';
import {
  FINISHED_MAX,
  Operations,
  type OperationView,
  RUNNING_MAX,
} from '../../../src/net/http/operations.ts';
import type { Problem } from '../../../src/net/http/problem.ts';
import { until } from '../../support/until.ts';
import { AUTHORIZED, serve } from './fake-node.ts';

const post = (url: string, payload?: object) =>
  ({ method: 'POST', url, headers: AUTHORIZED, ...(payload && { payload }) }) as const;

/** A promise that is settled by hand. */
function gate<T>(): {
  readonly promise: Promise<T>;
  open(value: T): void;
  fail(error: Error): void;
} {
  let open: (value: T) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((resolve, reject) => {
    [open, fail] = [resolve, reject];
  });
  return { promise, open, fail };
}

t.test('a call answers at once with an operation that can be followed', async (t) => {
  const { node, server } = serve(t);
  const [stopped, moved] = [gate<void>(), gate<void>()];
  node.onSwitchover = async (report) => {
    report('stopping');
    await stopped.promise;
    report('transferring');
    await moved.promise;
    return { to: 'mail2', epoch: 8 };
  };

  const answer = await server.app.inject(post('/v1/switchover', { to: 'mail2' }));
  t.equal(answer.statusCode, 202);
  const begun = answer.json<OperationView>();
  t.equal(answer.headers.location, `/v1/operations/${begun.id}`);
  t.match(begun, { kind: 'switchover', state: 'running', result: null, problem: null });
  t.strictSame(node.asked, [{ to: 'mail2', dryRun: false }]);

  const look = async () =>
    (await server.app.inject(`/v1/operations/${begun.id}`)).json<OperationView>();
  t.match((await look()).phases, [{ name: 'stopping', ms: Number, startedAt: String }]);
  stopped.open();
  await until(async () => (await look()).phases.length === 2, 'the second phase');
  moved.open();
  await until(async () => (await look()).state === 'done', 'the end');
  const ended = await look();
  t.strictSame(ended.result, { to: 'mail2', epoch: 8 });
  t.strictSame(
    ended.phases.map(({ name }) => name),
    ['stopping', 'transferring'],
  );
  const again = await look();
  t.strictSame(again, ended, 'its phases do not grow any more');
});

t.test('with wait the answer is the finished operation', async (t) => {
  const { server } = serve(t);
  const answer = await server.app.inject(post('/v1/barrier?wait=10s'));
  t.equal(answer.statusCode, 200);
  t.match(answer.json(), { kind: 'barrier', state: 'done', result: { index: 12, copies: 3 } });
});

t.test(
  'with wait a failure is the problem with its own status, and names the operation',
  async (t) => {
    const { node, server } = serve(t);
    for (const [code, status] of [
      ['NO_QUORUM', 503],
      ['NOT_LEADER', 503],
      ['PRECONDITION_FAILED', 409],
      ['REFUSED', 403],
      ['TIMED_OUT', 504],
    ] as const) {
      node.onBarrier = async () => {
        throw new MailraftError(code, 'so it is');
      };
      const answer = await server.app.inject(post('/v1/barrier?wait=10s'));
      t.equal(answer.statusCode, status, code);
      t.match(answer.headers['content-type'], /^application\/problem\+json/);
      const problem = answer.json<Problem>();
      t.match(problem, { code, status, detail: 'so it is', title: String, type: String });
      const found = await server.app.inject(`/v1/operations/${problem.operation}`);
      t.match(found.json(), { state: 'failed', result: null, problem });
    }
  },
);

t.test('what does not end within the wait is answered as under way', async (t) => {
  const { node, server } = serve(t);
  const committed = gate<{ index: number; copies: number }>();
  node.onBarrier = () => committed.promise;
  const answer = await server.app.inject(post('/v1/barrier?wait=20ms'));
  t.equal(answer.statusCode, 202);
  t.match(answer.json(), { state: 'running' });
  committed.open({ index: 1, copies: 2 });
});

t.test('a dry run says what would happen, beside a switchover that is under way', async (t) => {
  const { node, server } = serve(t);
  const moved = gate<unknown>();
  node.onSwitchover = () => moved.promise;
  t.equal((await server.app.inject(post('/v1/switchover'))).statusCode, 202);
  node.onSwitchover = async () => ({ would: 'move to mail3' });

  const answer = await server.app.inject(post('/v1/switchover?dryRun=true'));
  t.equal(answer.statusCode, 200);
  t.match(answer.json(), { kind: 'switchoverDryRun', result: { would: 'move to mail3' } });
  t.match(node.asked[1], { dryRun: true });

  const second = await server.app.inject(post('/v1/switchover'));
  t.equal(second.statusCode, 409, 'another switchover is refused meanwhile');
  t.match(second.json(), { code: 'PRECONDITION_FAILED' });
  t.equal(node.asked.length, 2);
  moved.open({});
});

t.test('barriers beyond the limit are turned away, and room comes back', async (t) => {
  const operations = new Operations();
  const committed = gate<void>();
  for (let i = 0; i < RUNNING_MAX.barrier; i += 1) {
    operations.begin('barrier', () => committed.promise);
  }
  const other = () => operations.begin('barrier', async () => 1);
  t.throws(other, { code: 'OVERLOADED' });
  committed.open();
  await until(() => tried(other), 'room for another');
});

t.test('the last that ended are kept, each kind apart', async (t) => {
  const operations = new Operations();
  const move = operations.begin('switchover', async () => 'moved');
  await operations.wait(move.id, 1_000);
  const slow = gate<string>();
  const running = operations.begin('barrier', () => slow.promise);
  const barriers: string[] = [];
  for (let i = 0; i < FINISHED_MAX + 5; i += 1) {
    const { id } = operations.begin('barrier', async () => i);
    await operations.wait(id, 1_000);
    barriers.push(id);
  }
  t.equal(operations.find(move.id)?.result, 'moved', 'barriers do not push out a switchover');
  t.equal(operations.find(running.id)?.state, 'running', 'nor what is still running');
  t.strictSame(
    barriers.map((id) => operations.find(id) !== undefined),
    barriers.map((_, index) => index >= 5),
  );
  slow.open('late');
  t.equal((await operations.wait(running.id, 1_000)).result, 'late');
  t.equal(operations.find(running.id)?.state, 'done', 'the slow one is the youngest that ended');
});

t.test('what throws at once fails like what throws later', async (t) => {
  const operations = new Operations();
  const { id } = operations.begin('barrier', () => {
    throw new MailraftError('NO_QUORUM', 'alone');
  });
  const { state, problem } = await operations.wait(id, 1_000);
  t.equal(state, 'failed');
  t.match(problem, { code: 'NO_QUORUM', operation: id });
});

function tried(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch {
    return false;
  }
}
