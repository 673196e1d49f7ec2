/**
 * A disk that fails under the journal of a real primary (about 30 s, needs a C compiler
 * to make it fail): what it holds is unknown, so the node lets go and ends, another one
 * serves, and the next start looks at everything before it takes part.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { projectRoot } from '../lab/project-files.ts';
import { ThreeNodes } from './three-nodes.ts';

t.setTimeout(150_000);

/** Makes the library that fails; returns why not, if it can not be made. */
function compile(library: string): string | undefined {
  const source = join(projectRoot, 'test/e2e/failing-storage.c');
  const args = ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'];
  const { status, error, stderr } = spawnSync('cc', args, { encoding: 'utf8' });
  if (status === 0) return undefined;
  return `it takes a C compiler: ${error?.message ?? stderr.trim()}`;
}

t.test('a primary whose disk fails lets go, ends, and comes back verified', async (t) => {
  const nodes = await ThreeNodes.create(t);
  const { folder } = nodes.cluster.layout;
  const library = join(folder, 'failing-storage.so');
  const reason = compile(library);
  if (reason !== undefined) {
    t.plan(0, reason);
    return;
  }
  const faultOf = (id: string): string => join(folder, `${id}.fault`);
  const start = (id: string): number =>
    nodes.cluster.start(id, { env: { LD_PRELOAD: library, MAILRAFT_FAULT: faultOf(id) } });
  for (const id of nodes.ids) start(id);
  const marks: string[] = [];
  for (const call of ['sync', 'write']) {
    const failing = await nodes.primary();
    marks.push(...(await nodes.deliver(5)));
    await nodes.barrier();
    const before = nodes.logOf(failing).length;
    writeFileSync(faultOf(failing), call);
    // Answered by the one whose disk fails, or by the next one: no barrier covers it.
    const atTheEdge = await nodes.deliver(1);
    t.equal(await nodes.ended(failing), 'code 1', `${call}: the node ends`);
    const log = nodes.logOf(failing).slice(before);
    t.match(log, /the node failed: the journal could not be written: EIO/, `${call}: says why`);
    t.equal(failuresOf(faultOf(failing)), 1, `${call}: and did not try again`);
    t.not(await nodes.primary(undefined, failing), failing, `${call}: another node serves`);
    t.equal(nodes.cluster.services().length, 1, `${call}: one service runs`);
    marks.push(...(await nodes.deliver(3)));
    await nodes.barrier();
    rmSync(faultOf(failing));
    start(failing);
    await nodes.prove(t, marks, `${call}: after the disk works again`);
    const isLacking = (await nodes.lacking(failing, atTheEdge)).length > 0;
    const { salvage } = await nodes.status(failing);
    t.ok(!isLacking || salvage.count > 0, `${call}: what only it had is kept aside`);
    await nodes.says(failing, 'nothing is amiss', ({ warnings }) => warnings.length === 0);
  }
});

t.test('a disk that still fails at the start keeps the node out', async (t) => {
  const nodes = await ThreeNodes.create(t);
  const library = join(nodes.cluster.layout.folder, 'failing-storage.so');
  const reason = compile(library);
  if (reason !== undefined) {
    t.plan(0, reason);
    return;
  }
  await nodes.serve();
  const [victim] = await nodes.secondaries();
  await nodes.cluster.killDaemon(victim);
  const fault = join(nodes.cluster.layout.folder, 'fault');
  writeFileSync(fault, 'sync');
  nodes.cluster.start(victim, { env: { LD_PRELOAD: library, MAILRAFT_FAULT: fault } });
  t.equal(await nodes.ended(victim), 'code 1');
  t.match(nodes.logOf(victim), /EIO/);
  nodes.cluster.start(victim);
  await nodes.prove(t, [], 'after the disk works again');
});

/** How often the disk has failed. */
function failuresOf(fault: string): number {
  const calls = `${fault}.calls`;
  if (!existsSync(calls)) return 0;
  const lines = readFileSync(calls, 'utf8').trim().split('\n');
  rmSync(calls);
  return lines.length;
}
