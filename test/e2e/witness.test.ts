/**
 * Two real nodes with data and a witness (safety rule 23): any one of the three may be
 * lost, and none that lacks something ever serves.
 */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { ThreeNodes } from './three-nodes.ts';

t.setTimeout(300_000);

const WITNESS = 'n3';
/** Several elections would have come and gone. */
const LONG_MS = 8_000;
/** As the configurations of these nodes have it. */
const LEASE_MS = 1_500;
const MIB = 1024 * 1024;

/** Both have everything, and the copies of both count. */
async function untilBoth(nodes: ThreeNodes): Promise<void> {
  await nodes.converged();
  await nodes.says(await nodes.primary(), 'two copies', ({ copies }) => copies === 2);
}

t.test('two nodes with data and a witness survive the loss of any one', async (t) => {
  const nodes = await ThreeNodes.create(t, { witness: WITNESS });
  await nodes.serve();
  const marks = [...(await nodes.deliver(5))];
  await nodes.barrier();
  await untilBoth(nodes);

  const first = await nodes.primary();
  const [second] = await nodes.secondaries();
  const { cluster } = nodes;
  t.match(await nodes.status(WITNESS), { role: 'witness', volumes: [], copies: 2 });
  t.equal((await fetch(`${cluster.client(WITNESS).url}/witness`)).status, 200);
  t.equal((await fetch(`${cluster.client(first).url}/witness`)).status, 503);
  const metrics = await (await fetch(`${cluster.client(WITNESS).url}/metrics`)).text();
  t.match(metrics, /^mailraft_role\{role="witness"\} 1$/m);
  t.match(metrics, /^mailraft_copies 2$/m);

  await cluster.killDaemon(first);
  t.equal(await nodes.primary(undefined, first), second, 'the other serves');
  marks.push(...(await nodes.deliver(3)));
  await nodes.barrier();
  t.same(await nodes.lacking(second, marks), [], 'nothing is lost');
  await nodes.says(second, 'one copy', ({ copies }) => copies === 1);
  cluster.start(first);
  await untilBoth(nodes);

  await cluster.killDaemon(first);
  await nodes.says(second, 'one copy', ({ copies }) => copies === 1);
  t.equal(await nodes.primary(), second, 'the loss of the secondary moves nothing');
  marks.push(...(await nodes.deliver(3)));
  await nodes.barrier();
  cluster.start(first);
  await untilBoth(nodes);

  await cluster.killDaemon(WITNESS);
  marks.push(...(await nodes.deliver(3)));
  await nodes.barrier();
  t.equal(await nodes.primary(), second, 'the loss of the witness moves nothing');
  t.match(await nodes.status(second), { copies: 2 });
  cluster.start(WITNESS);
  await nodes.says(WITNESS, 'it follows', ({ raft }) => raft.leader === second);
  await nodes.says(WITNESS, 'it knows of all', ({ raft }) => raft.commitIndex > 10);

  await cluster.killDaemon(second);
  t.equal(await nodes.primary(undefined, second), first, 'the one that was taken back serves');
  cluster.start(second);
  await untilBoth(nodes);
  await nodes.prove(t, marks, 'after everything');
});

t.test('a primary that is stopped in order is followed without waiting', async (t) => {
  const nodes = await ThreeNodes.create(t, { witness: WITNESS });
  for (const id of nodes.ids.filter((one) => one !== 'n1')) nodes.cluster.start(id);
  const pid = nodes.cluster.start('n1');
  t.equal(await nodes.primary(), 'n1', 'the origin serves at first');
  const marks = [...(await nodes.deliver(3))];
  await nodes.barrier();
  await untilBoth(nodes);
  const { epoch } = (await nodes.status('n2')).tenure;
  const stoppedAtMs = performance.now();
  process.kill(pid, 'SIGTERM');
  await nodes.primary(undefined, 'n1');
  const tookMs = performance.now() - stoppedAtMs;
  t.ok(tookMs < LEASE_MS, `it serves after ${Math.round(tookMs)} ms`);
  t.match(await nodes.status('n2'), { role: 'primary', copies: 2, tenure: { epoch: epoch + 1 } });
  t.equal(await nodes.ended('n1'), 'code 0');
  marks.push(...(await nodes.deliver(3)));
  await nodes.barrier();
  await nodes.says('n2', 'one copy', ({ copies }) => copies === 1);
  t.same(await nodes.lacking('n2', marks), []);
});

t.test('a secondary that lacks something never serves, and says why', async (t) => {
  const nodes = await ThreeNodes.create(t, { witness: WITNESS });
  await nodes.serve();
  await untilBoth(nodes);
  const primary = await nodes.primary();
  const [stale] = await nodes.secondaries();
  const { cluster } = nodes;
  await cluster.killDaemon(stale);
  await nodes.says(primary, 'one copy', ({ copies }) => copies === 1);
  const marks = await nodes.deliver(5);
  await nodes.barrier();
  await cluster.killDaemon(primary);
  cluster.start(stale);
  const why = new RegExp(`${WITNESS} knows of entries up to .* it must not lead .* ${primary}`);
  await nodes.says(stale, 'why not', ({ warnings }) => warnings.some((text) => why.test(text)));
  const endAtMs = performance.now() + LONG_MS;
  while (performance.now() < endAtMs) {
    t.equal(await cluster.primary(), undefined);
    await delay(200);
  }
  cluster.start(primary);
  t.equal(await nodes.primary(), primary, 'the one that has everything serves again');
  await untilBoth(nodes);
  await nodes.prove(t, marks, 'after it was there again');
});

t.test('a witness stays small', async (t) => {
  const nodes = await ThreeNodes.create(t, { witness: WITNESS });
  await nodes.serve();
  await nodes.cluster.killDaemon(WITNESS);
  const pid = nodes.cluster.start(WITNESS);
  for (let round = 0; round < 5; round += 1) {
    await nodes.deliver(20, 100_000);
    await nodes.barrier();
  }
  const [, residentKiB = '0'] =
    /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  const disk = bytesBelow(nodes.node(WITNESS).dataDir);
  t.comment(
    `${Math.round(Number(residentKiB) / 1024)} MiB resident, ${Math.round(disk / 1024)} KiB on disk`,
  );
  t.ok(Number(residentKiB) * 1024 < 100 * MIB, `${residentKiB} KiB resident`);
  t.ok(disk < 50 * MIB, `${disk} bytes`);
});

function bytesBelow(directory: string): number {
  return readdirSync(directory, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(directory, entry.name);
    return sum + (entry.isDirectory() ? bytesBelow(path) : statSync(path).size);
  }, 0);
}
