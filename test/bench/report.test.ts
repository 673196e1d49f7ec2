/** The benches' command line, statistics and tables. */

import t from 'tap';
import type { SystemName } from '../../bench/consensus/clients/open-client.ts';
import { clusterReport } from '../../bench/consensus/cluster/cluster-report.ts';
import { mailraft } from '../../bench/consensus/cluster/mailraft-system.ts';
import { median, percentile } from '../../bench/measure/statistics.ts';
import { readOptions } from '../../bench/options.ts';

const NAMES = ['core', 'cluster'];

t.test('the area and its options are read', async (t) => {
  const options = readOptions(['consensus', '--only', 'core', '--runs', '3', '--json'], NAMES);
  t.match(options, { area: 'consensus', only: 'core', runs: 3, isJson: true });
});

t.test('what can not be is refused with what can', async (t) => {
  const refused = (args: readonly string[], message: RegExp): void => {
    t.throws(() => readOptions(args, NAMES), { code: 'USAGE', message });
  };
  refused([], /one area is wanted: consensus/);
  refused(['replication'], /replication is not in this version/);
  refused(['x'], /no area "x"/);
  refused(['consensus', '--only', 'x'], /no "x": core, cluster/);
  refused(['consensus', '--runs', '0'], /--runs is "0": 1 to 100/);
  refused(['consensus', '--fast'], /--fast/);
});

t.test('a median is one of the values, a percentile the nearest rank', async (t) => {
  t.equal(median([9, 1, 5]), 5);
  t.equal(percentile([1, 2, 3, 4], 0.5), 2);
  t.equal(percentile([1, 2, 3, 4], 0.99), 4);
});

t.test('ratios say how many times better mailraft is, from the medians', async (t) => {
  const cell = (system: SystemName, p50Ms: number, serverCpuSeconds: number) => ({
    system,
    valueBytes: 256,
    clients: 64,
    measured: {
      commits: 3000,
      seconds: 3,
      p50Ms,
      p99Ms: 9,
      serverCpuSeconds,
      generatorCpuSeconds: 1,
    },
  });
  const cells = [cell('mailraft', 1, 2), cell('mailraft', 2, 2), cell('mailraft', 3, 2)];
  const report = clusterReport([...cells, cell('etcd', 3, 6)], new Map(), undefined);
  t.match(report.figures[0], { system: 'mailraft', p50Ms: 2, p50Ratio: 1.5, cpuRatio: 3, runs: 3 });
  t.match(report.lines[1], /1\.50 x +3\.00 x/);
  t.same(report.broken, []);
});

t.test('a write that is lost breaks the promise', async (t) => {
  const lost = new Map([[mailraft, [{ acknowledged: 100, missing: 1 }]]]);
  const { broken } = clusterReport([], lost, 'etcd is absent');
  t.match(broken, [/100 acknowledged writes, 1 missing/]);
});
