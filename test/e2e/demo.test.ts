/**
 * The demo with real nodes: the script proves what it promises, a run that was spoilt
 * fails by the name of the promise that it broke, and nothing is left behind.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { DemoCluster } from '../../src/cli/demo/demo-cluster.ts';
import { findDemoProcesses } from '../../src/cli/demo/demo-processes.ts';
import { reportText } from '../../src/cli/demo/run-report.ts';
import { isGood, type RunResult } from '../../src/cli/demo/run-result.ts';
import { type RunHooks, scriptedRun } from '../../src/cli/demo/scripted-run.ts';
import type { PromiseName } from '../../src/cli/demo/verdict.ts';
import { dropOnFollower, removeEverywhere, runSecondService } from '../demo/sabotage.ts';
import { builtProgram } from '../lab/project-files.ts';
import { until } from '../support/until.ts';

const RUN_MS_MAX = 90_000;

t.setTimeout(6 * RUN_MS_MAX);

interface DemoProgram {
  readonly child: ChildProcess;
  /** Complete lines of JSON so far. */
  lines(): Record<string, unknown>[];
  stderr(): string;
}

function startDemo(t: Test, args: readonly string[]): DemoProgram {
  const argv = [builtProgram('src/cli/main.ts'), 'demo', '--json', ...args];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
  });
  const complete = (): string => stdout.slice(0, stdout.lastIndexOf('\n') + 1);
  return {
    child,
    lines: () =>
      complete()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
    stderr: () => stderr,
  };
}

/** The exit code; fails when the program does not end in time. */
async function exitOf({ child }: DemoProgram, withinMs: number): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    await once(child, 'exit', { signal: AbortSignal.timeout(withinMs) });
  }
  return child.exitCode;
}

function folderOf(lines: readonly Record<string, unknown>[]): string {
  return String(lines.find(({ folder }) => folder !== undefined)?.['folder']);
}

async function nothingIsLeft(t: Test, folder: string): Promise<void> {
  t.match(folder, /mailraft-demo-/);
  t.notOk(existsSync(folder), 'the folder is gone');
  t.same(await findDemoProcesses(folder), [], 'no process is left');
}

t.test('the script delivers through every event and proves it in under 90 s', async (t) => {
  const demo = startDemo(t, ['--script', '--seed', '1']);
  const code = await exitOf(demo, RUN_MS_MAX);
  const lines = demo.lines();
  const result = lines.at(-1) ?? {};
  t.match(result, { event: 'result', ok: true }, `${JSON.stringify(result)} ${demo.stderr()}`);
  t.equal(code, 0);
  t.ok(Number(result['answered']) >= 500, `${result['answered']} answered`);
  const { largestBytes } = result['mail'] as { largestBytes: number };
  t.ok(largestBytes > 2 * 1024 * 1024, `the largest has ${largestBytes} bytes`);
  t.ok(lines.filter(({ event }) => event === 'proof').every(({ ok }) => ok === true));
  t.match(
    lines.filter(({ event }) => event === 'outage').map(({ what }) => what),
    [/^kill -9 of the daemon/, /^kill -9 of the service/, /^planned move/, /^start of/],
  );
  await nothingIsLeft(t, folderOf(lines));
});

t.test('without a script it runs until it is told to end, and cleans up', async (t) => {
  const demo = startDemo(t, []);
  const serves = (): boolean =>
    demo.child.exitCode !== null || demo.lines().some(({ event }) => event === 'serving');
  await until(serves, 'a node to serve', 30_000);
  demo.child.kill('SIGINT');
  t.equal(await exitOf(demo, 20_000), 0, demo.stderr());
  await nothingIsLeft(t, folderOf(demo.lines()));
});

interface Sabotage {
  readonly name: string;
  readonly hooks: RunHooks;
  readonly promise: PromiseName;
}

const sabotages: readonly Sabotage[] = [
  {
    name: 'a follower that drops one covered message is found',
    hooks: { beforeProof: spoiling(dropOnFollower) },
    promise: 'covered-on-every-node',
  },
  {
    name: 'an answered message that is removed everywhere is missed',
    hooks: { beforeProof: spoiling(removeEverywhere) },
    promise: 'answered-exists',
  },
  {
    name: 'two services at once are seen',
    hooks: { during: spoiling(runSecondService) },
    promise: 'one-service',
  },
];

for (const { name, hooks, promise } of sabotages) {
  t.test(name, async (t) => {
    const result = await shortRun(hooks);
    t.comment(reportText(result));
    if (result.kind !== 'judged') throw new Error(result.reason);
    const broken = result.verdict.broken.map((each) => each.promise);
    t.ok(broken.includes(promise), `${promise} is among the broken: ${broken.join()}`);
    t.notOk(isGood(result), 'the run fails');
  });
}

/** As many messages as a sabotage needs to hide among. */
function shortRun(hooks: RunHooks): Promise<RunResult> {
  const { signal } = new AbortController();
  const few = { messagesPerStage: 30, messagesMin: 100 };
  return scriptedRun({ seed: 1, keep: false, signal, note: () => {}, ...few }, hooks);
}

function spoiling(spoil: (cluster: DemoCluster) => Promise<unknown>) {
  return async (cluster: DemoCluster): Promise<void> => {
    await spoil(cluster);
  };
}
