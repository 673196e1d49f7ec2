/**
 * The sampler: sees every running service and nothing else, knows one moment with two
 * from two moments with one, and says how well it looked.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ProcessSampler } from '../../src/cli/demo/process-sampler.ts';
import { ProcessScan, type ProcessScanOptions } from '../../src/cli/demo/process-scan.ts';
import { ProcessTimeline } from '../../src/cli/demo/process-timeline.ts';
import { MailProcess, serverProgram } from '../examples/mail-process.ts';
import { until } from '../support/until.ts';

/** Two stores of this test alone, and how to watch them. */
function twoNodes(t: Test): { a: string; b: string; watch: ProcessScanOptions } {
  const [a, b] = [join(t.testdir(), 'a'), join(t.testdirName, 'b')];
  const nodes = { [a]: 'node-a', [b]: 'node-b' };
  return { a, b, watch: { marker: 'examples/mail/server.js', nodeOption: '--store', nodes } };
}

function stateOf(pid: number | undefined): string {
  return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? '';
}

async function stop(mail: MailProcess): Promise<void> {
  mail.child.kill('SIGSTOP');
  await until(() => stateOf(mail.child.pid) === 'T', 'the service to stop');
}

/** Waits until the sampler has begun and ended a look at things as they are. */
async function looksAgain(sampler: ProcessSampler): Promise<void> {
  const from = sampler.samples;
  await until(() => sampler.samples >= from + 10, 'two more reports');
}

t.test('running services are seen; stopped, dead and foreign ones are not', async (t) => {
  const { a, b, watch } = twoNodes(t);
  const scan = new ProcessScan(watch);
  const nodes = (): string[] =>
    scan
      .look()
      .map(({ node }) => node)
      .sort();
  t.same(nodes(), []);
  const first = await MailProcess.start(t, { store: a });
  await MailProcess.start(t, { store: join(t.testdirName, 'foreign') });
  t.same(nodes(), ['node-a']);
  const second = await MailProcess.start(t, { store: b });
  t.same(nodes(), ['node-a', 'node-b']);
  await stop(second);
  t.same(nodes(), ['node-a']);
  second.child.kill('SIGCONT');
  await until(() => stateOf(second.child.pid) !== 'T', 'the service to go on');
  t.same(nodes(), ['node-a', 'node-b']);
  await first.end('SIGKILL');
  t.same(nodes(), ['node-b']);
});

t.test('a zombie does not run', async (t) => {
  const { a, watch } = twoNodes(t);
  // This shell becomes another program that never asks for the end of its child.
  const script = `"$0" "$1" --store "$2" --smtp 127.0.0.1:0 --pop3 127.0.0.1:0 & echo $!; exec sleep 60`;
  const parent = spawn('sh', ['-c', script, process.execPath, serverProgram, a], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] },
  });
  t.teardown(() => parent.kill('SIGKILL'));
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number.parseInt(`${line}`, 10);
  t.teardown(() => {
    // The number stays the zombie's own for as long as its parent lives.
    if (parent.exitCode === null && parent.signalCode === null) process.kill(pid, 'SIGKILL');
  });
  const scan = new ProcessScan(watch);
  await until(() => scan.look().length === 1, 'the service to be seen');
  process.kill(pid, 'SIGKILL');
  await until(() => stateOf(pid) === 'Z', 'the service to be a zombie');
  t.same(scan.look(), []);
});

t.test('a process that only names the service, or becomes it later, is told apart', async (t) => {
  const { a, watch } = twoNodes(t);
  const scan = new ProcessScan(watch);
  const wrapper = ['sh', '-c', 'read line < "$0"; exec "$@"', join(t.testdirName, 'gate')];
  await once(spawn('mkfifo', [join(t.testdirName, 'gate')]), 'exit');
  t.same(scan.look(), []);
  const mail = MailProcess.launch(t, { store: a, wrapper });
  await until(
    () => readFileSync(`/proc/${mail.child.pid}/cmdline`, 'latin1').includes('server.js'),
    'the shell to be running',
  );
  for (let look = 0; look < 20; look += 1) t.same(scan.look(), [], 'a shell is no service');
  await once(spawn('sh', ['-c', 'echo > "$0"', join(t.testdirName, 'gate')]), 'exit');
  await until(() => mail.stdout.includes('ready'), 'the service to run');
  t.match(scan.look(), [{ node: 'node-a', pid: mail.child.pid }], 'seen at the next look');
});

t.test(
  'a process that was there before and becomes the service is seen within eight looks',
  async (t) => {
    const { a, watch } = twoNodes(t);
    const gate = join(t.testdirName, 'gate');
    await once(spawn('mkfifo', [gate]), 'exit');
    const wrapper = ['sh', '-c', 'read line < "$0"; exec "$@"', gate];
    const mail = MailProcess.launch(t, { store: a, wrapper });
    await until(
      () => readFileSync(`/proc/${mail.child.pid}/cmdline`, 'latin1').includes('server.js'),
      'the shell to be running',
    );
    const scan = new ProcessScan(watch);
    t.same(scan.look(), []);
    await once(spawn('sh', ['-c', 'echo > "$0"', gate]), 'exit');
    await until(() => mail.stdout.includes('ready'), 'the service to run');
    const looks = Array.from({ length: 8 }, () => scan.look().length);
    t.equal(looks.at(-1), 1, `${looks}`);
  },
);

t.test('two services at once are found by the sampler, and an interval for each', async (t) => {
  const { a, b, watch } = twoNodes(t);
  const sampler = new ProcessSampler(watch);
  t.teardown(() => sampler.stop());
  sampler.start();
  const first = await MailProcess.start(t, { store: a });
  await looksAgain(sampler);
  await stop(first);
  const second = await MailProcess.start(t, { store: b });
  await looksAgain(sampler);
  first.child.kill('SIGCONT');
  await until(() => stateOf(first.child.pid) !== 'T', 'the first to go on');
  await looksAgain(sampler);
  await second.end('SIGKILL');
  await looksAgain(sampler);
  const result = await sampler.stop();
  t.same(
    result.intervals.map(({ node, pid }) => [node, pid]),
    [
      ['node-a', first.child.pid],
      ['node-b', second.child.pid],
      ['node-a', first.child.pid],
    ],
  );
  t.ok(result.doubleCount >= 1);
  t.match(result.doubles[0]?.services.map(({ node }) => node).sort(), ['node-a', 'node-b']);
  const [before, between, after] = result.intervals;
  t.ok((before?.endMs ?? 0) < (between?.startMs ?? 0), 'the stopped one had ended');
  t.ok((after?.startMs ?? 0) <= (between?.endMs ?? 0), 'then both ran');
});

t.test('one service after the other is never two', async (t) => {
  const { a, b, watch } = twoNodes(t);
  const sampler = new ProcessSampler(watch);
  t.teardown(() => sampler.stop());
  sampler.start();
  for (const store of [a, b, a]) {
    const mail = await MailProcess.start(t, { store });
    await looksAgain(sampler);
    await mail.end('SIGTERM');
  }
  const result = await sampler.stop();
  t.equal(result.doubleCount, 0);
  t.same(
    result.intervals.map(({ node }) => node),
    ['node-a', 'node-b', 'node-a'],
  );
  t.ok(result.samples > 30, `${result.samples} samples`);
  t.ok(result.longestGapMs >= 10, `longest gap ${result.longestGapMs} ms`);
});

t.test('gaps are measured between samples and up to the end', async (t) => {
  const timeline = new ProcessTimeline();
  for (const atMs of [1_000, 1_010, 1_047, 1_050]) timeline.add(atMs, []);
  t.equal(timeline.result(1_055).longestGapMs, 37);
  t.equal(timeline.result(1_250).longestGapMs, 200);
  t.equal(timeline.samples, 4);
});

t.test('a process that is missing from one sample has two intervals', async (t) => {
  const timeline = new ProcessTimeline();
  const service = { node: 'a', pid: 7, startTicks: '1' };
  const reused = { node: 'a', pid: 7, startTicks: '2' };
  timeline.add(10, [service]);
  timeline.add(20, [service]);
  timeline.add(30, []);
  timeline.add(40, [service]);
  timeline.add(50, [reused]);
  const seen = timeline.result(55).intervals.map(({ startMs, endMs }) => [startMs, endMs]);
  t.same(seen, [
    [10, 20],
    [40, 40],
    [50, 50],
  ]);
  t.equal(timeline.result(55).doubleCount, 0);
  timeline.add(60, [service, reused]);
  t.match(timeline.result(65).doubles, [{ atMs: 60, services: [{ pid: 7 }, { pid: 7 }] }]);
});
