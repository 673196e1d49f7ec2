/**
 * The watch over a cluster is itself tested: a node that ignores its lease, and one that
 * keeps the address, turn a run red; the same fault leaves an honest node's run green.
 *
 * The fault: the primary's daemon is stopped, and nothing that its machine sends reaches
 * the other nodes. Otherwise they would be answered when they ask whether somebody still
 * has the address, and would not take it. Takes about half a minute.
 */

import t, { type Test } from 'tap';
import { LabCluster } from './cluster.ts';
import { enterLab } from './enter-lab.ts';
import { type ObserverReport, objectionsTo } from './observer-client.ts';
import { signalProcess } from './processes.ts';
import { canBlockOneWay } from './requirements.ts';
import { type Sabotage, sabotagedBuild } from './sabotaged-build.ts';

const SABOTEUR = 'n1';
const RUN_MS_MAX = 120_000;
/** The observer has seen enough of a double by then. */
const SAMPLES = 50;

/** Whatever it is told, the guardian takes the tenure to last for another hour. */
const IGNORES_ITS_LEASE: Sabotage = {
  file: 'src/service/tenure/latch.ts',
  find: 'this.#deadlines = deadlines;',
  replacement: `this.#deadlines = Object.fromEntries(
    Object.entries(deadlines).map(([name, atMs]) => [name, atMs + 3_600_000]),
  );`,
};

/** The address is never dropped, and the kernel is told to keep it for another hour. */
const KEEPS_THE_ADDRESS: Sabotage = {
  file: 'src/service/address/make-address.ts',
  find: 'new IpAddress(config, events)',
  replacement: `new (class extends IpAddress {
    hold(untilMs) { super.hold(untilMs + 3_600_000); }
    drop() {}
  })(config, events)`,
};

/** The run with a first primary that was sabotaged, or was not. */
async function run(t: Test, sabotage: Sabotage | undefined): Promise<ObserverReport> {
  const spoilt = sabotage === undefined ? undefined : sabotagedBuild(sabotage);
  if (spoilt !== undefined) t.teardown(() => spoilt.remove());
  const cluster = await LabCluster.up({
    buildOf: (id) => (id === SABOTEUR ? spoilt?.build : undefined),
  });
  t.teardown(() => cluster.down());
  const observer = await cluster.observe();
  cluster.startAll();
  const first = await cluster.untilPrimary();
  await cluster.untilInSync();
  if (first !== SABOTEUR) await cluster.switchOver(SABOTEUR);
  t.equal(await cluster.untilPrimary(), SABOTEUR, 'the one to be disturbed serves');

  const daemon = cluster.daemonOf(SABOTEUR);
  if (daemon === undefined) throw new Error('the primary has a daemon');
  signalProcess(daemon.pid, 'SIGSTOP');
  for (const to of cluster.nodes.filter((id) => id !== SABOTEUR)) {
    await cluster.network.blockOneWay({ from: SABOTEUR, to });
  }
  const others = cluster.nodes.filter((id) => id !== SABOTEUR);
  const isTaken = ({ holders, services }: typeof observer.view) =>
    others.some((id) => holders.has(id) && services.has(id));
  await observer.until('another node serves', isTaken, 30_000);
  await observer.more(SAMPLES);
  return observer.stop();
}

const SKIP_UNLESS_NFT = (() => {
  const can = canBlockOneWay();
  return can.ok ? {} : { skip: can.reason };
})();

t.setTimeout(RUN_MS_MAX);

if (await enterLab(t, import.meta.filename)) {
  t.test('an honest node lets go in time: the run is green', SKIP_UNLESS_NFT, async (t) => {
    const report = await run(t, undefined);
    t.same(objectionsTo(report), []);
    t.equal(report.exitCode, 0);
  });

  t.test('a node that ignores its lease turns the run red', SKIP_UNLESS_NFT, async (t) => {
    const report = await run(t, IGNORES_ITS_LEASE);
    t.comment(objectionsTo(report).join('; '));
    t.ok(report.summary.doubleService > 0, `doubleService ${report.summary.doubleService}`);
    t.match(report.violations, [{ violation: 'doubleService', who: [SABOTEUR, /n[23]/] }]);
    t.notSame(objectionsTo(report), []);
    t.not(report.exitCode, 0);
  });

  t.test('a node that keeps the address turns the run red', SKIP_UNLESS_NFT, async (t) => {
    const report = await run(t, KEEPS_THE_ADDRESS);
    t.comment(objectionsTo(report).join('; '));
    t.ok(report.summary.doubleAddress > 0, `doubleAddress ${report.summary.doubleAddress}`);
    t.equal(report.summary.doubleService, 0, 'its service ends in time all the same');
    t.notSame(objectionsTo(report), []);
    t.not(report.exitCode, 0);
  });
}
