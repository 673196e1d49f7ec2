/**
 * The scenarios of replication, with each replicator in a thread of its own; and what the
 * way between the threads must keep: order, codes of errors, a status that is current.
 */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { scratch } from '../support/scratch.ts';
import { until } from '../support/until.ts';
import { Group } from './group.ts';
import { runScenarios } from './scenarios.ts';

t.test('the status is as new as the answer to any call, and errors keep their codes', async (t) => {
  const group = new Group(scratch(t), ['a'], 'in threads');
  const a = group.of('a');
  await a.start();
  await t.rejects(a.running.barrier(), { name: 'MailraftError', code: 'NOT_LEADER' });
  await t.rejects(a.running.answer('resync.open', {}, 'b'), { code: 'PRECONDITION_FAILED' });
  await t.rejects(a.running.arm(), { code: 'INVARIANT' });
  group.leader = 'a';
  group.append(undefined);
  const decree = await a.running.makeBaseline();
  t.same(a.running.status.state.draft, [decree.volumes[0]?.treeHash]);
  group.decree(decree);
  await a.caughtUp();
  await a.running.arm();
  t.match(a.running.status, { mode: 'leading', isArmed: true });
  mkdirSync(join(a.path, 'new'));
  writeFileSync(join(a.path, 'new/mail'), 'mail');
  const { sequence } = await a.running.barrier();
  const proposed = group.log.map(({ from }) => from?.sequence ?? 0);
  t.equal(Math.max(...proposed), sequence, 'proposals come before the answer of their barrier');
  await a.caughtUp();
  await a.running.sync();
  const { state, treeHashIndex, volumes } = a.running.status;
  t.equal(state.synced, group.committed);
  t.equal(treeHashIndex, group.committed);
  t.equal(volumes[0]?.files, 1);
  const disarmed = a.running.disarm();
  await disarmed;
  t.match(a.running.status, { mode: 'unsettled', isArmed: false });
});

t.test('what ends replication in the thread is told once, and the thread ends', async (t) => {
  const group = new Group(scratch(t), ['a'], 'in threads');
  const a = group.of('a');
  a.failures = [];
  await a.start();
  for (const data of ['no command', 'nor this']) group.append(Buffer.from(data));
  await until(() => a.failures?.length === 1, 'the failure is told');
  t.match(a.failures, [{ code: 'DATA_INVALID' }]);
  await t.rejects(a.running.sync(), 'nothing goes on');
  await a.stop();
  t.equal(a.failures.length, 1);
});

t.test('a thread that can not open its volume says why', async (t) => {
  const group = new Group(scratch(t), ['a'], 'in threads');
  const a = group.of('a');
  rmSync(a.path, { recursive: true });
  await t.rejects(a.start(), { code: 'STORAGE_FAILED', message: /ENOENT/ });
});

t.test('files that were written are looked at, and counted', async (t) => {
  const group = new Group(scratch(t), ['a', 'b'], 'in threads');
  const [a, b] = [group.of('a'), group.of('b')];
  await group.found('a');
  await group.serve('a');
  for (let mail = 0; mail < 20; mail += 1) writeFileSync(join(a.path, `${mail}`), `mail ${mail}`);
  await group.covered();
  await b.running.sync();
  const { checked, treeHashIndex } = b.running.status;
  t.ok(checked.files >= 20, `${checked.files} files were looked at`);
  t.ok(checked.index <= treeHashIndex && checked.atMs > 0);
});

runScenarios('in threads');
