/** A daemon's process ends by its signals and its failures, each with its exit code and its last words. */

import t from 'tap';
import { builtProgram } from '../lab/project-files.ts';
import { scratch } from '../support/scratch.ts';
import { until } from '../support/until.ts';
import { VerbProcess } from './verb-process.ts';

type Test = Parameters<typeof scratch>[0];

async function started(t: Test, kind: string): Promise<VerbProcess> {
  const program = builtProgram('test/cli/supervised-child.ts');
  const daemon = new VerbProcess(t, [kind], { cwd: scratch(t).path, program });
  await until(() => daemon.stderr.includes('"started"'), 'the process to have started');
  return daemon;
}

function logged(stderr: string): readonly Record<string, unknown>[] {
  return stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} stops the node and exits 0`, async (t) => {
    const daemon = await started(t, 'stops');
    daemon.child.kill(signal);
    const { code, stdout, stderr } = await daemon.ended;
    t.equal(code, 0);
    t.equal(stdout, '', 'stdout is not for logs');
    t.match(logged(stderr), [
      { level: 'info', text: 'started', time: /Z$/, pid: daemon.child.pid },
      { level: 'info', text: 'told to stop', signal },
      { level: 'info', text: 'stopped' },
    ]);
  });
}

t.test('a second signal ends a node that does not stop', async (t) => {
  const daemon = await started(t, 'hangs');
  daemon.child.kill('SIGTERM');
  await until(() => daemon.stderr.includes('told to stop'), 'the first signal to be heard');
  t.equal(daemon.child.exitCode, null);
  daemon.child.kill('SIGINT');
  const { code, stderr } = await daemon.ended;
  t.equal(code, 1);
  t.match(logged(stderr).at(-1), { level: 'warn', text: 'told to stop again, ending at once' });
});

t.test('a signal that comes during the start is not lost', async (t) => {
  const daemon = await started(t, 'startsSlowly');
  daemon.child.kill('SIGTERM');
  await until(() => daemon.stderr.includes('told to stop'), 'the signal to be heard');
  daemon.child.kill('SIGUSR2');
  t.match(await daemon.ended, { code: 0, stderr: /"stopped"/ });
});

for (const [kind, exitCode, lastWords] of [
  [
    'fails',
    1,
    { level: 'error', code: 'STORAGE_FAILED', text: 'the node failed: the disk is gone' },
  ],
  ['isRefused', 2, { level: 'error', text: 'the node can not go on: the port is taken' }],
  ['throwsLater', 1, { level: 'error', text: 'unforeseen, ending: out of the blue' }],
  ['rejectsLater', 1, { level: 'error', text: 'unforeseen, ending: out of the blue' }],
] as const) {
  t.test(`a node that ${kind} exits ${exitCode}`, async (t) => {
    const daemon = await started(t, kind);
    daemon.child.kill('SIGUSR2');
    const { code, stderr } = await daemon.ended;
    t.equal(code, exitCode);
    const last = logged(stderr).at(-1);
    t.match(last, lastWords);
    t.match(last, { error: { stack: /supervised-child/ } });
  });
}

t.test('a node that can not be stopped cleanly exits 1', async (t) => {
  const daemon = await started(t, 'stopFails');
  daemon.child.kill('SIGTERM');
  t.match(await daemon.ended, { code: 1, stderr: /the node can not go on: stuck/ });
});
