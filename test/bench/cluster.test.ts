/** The bench's own cluster: three processes that elect, commit, survive and take over. */

import t, { type Test } from 'tap';
import { Cluster } from '../../bench/consensus/cluster/cluster.ts';
import { checkDurability } from '../../bench/consensus/cluster/durability.ts';
import { mailraft } from '../../bench/consensus/cluster/mailraft-system.ts';
import { takeoverMs } from '../../bench/consensus/failover/takeover.ts';
import { LoadGenerator } from '../../bench/consensus/load/load-generator.ts';
import { scratch } from '../support/scratch.ts';

async function start(t: Test): Promise<Cluster> {
  const times = { electionMs: 500, heartbeatMs: 50 };
  const { path, onClose } = scratch(t);
  const cluster = await Cluster.start(mailraft, { directory: path, times });
  onClose(() => cluster.stop());
  return cluster;
}

function generator(t: Test): LoadGenerator {
  const made = new LoadGenerator();
  t.teardown(() => made.stop());
  return made;
}

t.test('a load is measured, and what it cost whom', async (t) => {
  const cluster = await start(t);
  const { place } = await cluster.leader();
  const measured = await generator(t).measure({
    load: { system: 'mailraft', port: place.clientPort, clients: 8, valueBytes: 256, prefix: 'p' },
    warmUpMs: 50,
    measureMs: 400,
    serverPids: cluster.pids,
  });
  t.ok(measured.commits > 0, `${measured.commits} commits`);
  t.ok(measured.seconds >= 0.4, `${measured.seconds} s`);
  t.ok(measured.p50Ms > 0 && measured.p99Ms >= measured.p50Ms, `${measured.p50Ms} ms`);
  t.ok(measured.serverCpuSeconds > 0, `${measured.serverCpuSeconds} s of the servers`);
});

t.test('what was acknowledged is there after all were killed', async (t) => {
  const cluster = await start(t);
  const load = { clients: 4, valueBytes: 100, prefix: 'kill', killAfterMs: 400 };
  const { acknowledged, missing } = await checkDurability(cluster, generator(t), load);
  t.ok(acknowledged > 0, `${acknowledged} acknowledged`);
  t.equal(missing, 0);
});

t.test('a survivor takes writes after the leader was killed', async (t) => {
  const cluster = await start(t);
  const ms = await takeoverMs(cluster, ({ leader }) => leader.process.signal('SIGKILL'));
  t.ok(ms !== undefined && ms > 0, `after ${ms} ms`);
});

t.test('nothing is left of a cluster that was stopped', async (t) => {
  const cluster = await start(t);
  await cluster.leader();
  await cluster.stop();
  t.ok(cluster.members.every(({ process }) => process.hasEnded));
});
