/**
 * The script goes through all of its events, ends with a proof and leaves nothing behind;
 * and what it cannot wait for, it names. A stand-in takes the place of the nodes.
 */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { findDemoProcesses } from '../../src/cli/demo/demo-processes.ts';
import { resultLines } from '../../src/cli/demo/run-json.ts';
import { reportText } from '../../src/cli/demo/run-report.ts';
import { isGood, type JudgedRun, type RunResult } from '../../src/cli/demo/run-result.ts';
import { type RunHooks, type ScriptOptions, scriptedRun } from '../../src/cli/demo/scripted-run.ts';
import { MailraftError } from '../../src/errors.ts';

t.setTimeout(180_000);

const standIn = fileURLToPath(new URL('./stand-in-node.js', import.meta.url));

async function play(
  t: Test,
  options: Partial<ScriptOptions> = {},
  hooks: RunHooks = {},
): Promise<{ result: RunResult; events: string[]; folder: string }> {
  const events: string[] = [];
  let folder = '';
  const result = await scriptedRun(
    {
      ...{ seed: 7, keep: false, messagesPerStage: 40, messagesMin: 150, program: standIn },
      signal: new AbortController().signal,
      note: ({ event, text, data }) => {
        t.comment(text);
        events.push(event);
        if (typeof data['folder'] === 'string') folder = data['folder'];
      },
      ...options,
    },
    hooks,
  );
  return { result, events, folder };
}

function judged(result: RunResult): JudgedRun {
  if (result.kind === 'judged') return result;
  throw new Error([result.reason, ...result.logTails.flatMap(({ lines }) => lines)].join('\n'));
}

t.test('the script runs from the start to a kept proof', async (t) => {
  const { result, events, folder } = await play(t);
  const run = judged(result);
  t.comment(reportText(run));
  t.same(run.verdict.broken, []);
  t.same(run.complaints, []);
  t.ok(isGood(run));
  t.same(
    run.events.map(({ what }) => what.replace(/n\d/g, 'N')),
    [
      'kill -9 of the daemon of N',
      'kill -9 of the service of N',
      'planned move away from N',
      'start of N',
    ],
  );
  t.ok(run.events.every(({ outageMs }) => outageMs !== undefined));
  t.ok(run.served.length >= 3, 'the service ran on one node after the other');
  t.ok((run.lag?.count ?? 0) > 100, `${run.lag?.count} lags`);
  t.ok(run.mail.largestBytes > 0);
  t.equal(events.at(-1), 'synced');
  t.notOk(existsSync(folder), 'the folder is gone');
  t.same(await findDemoProcesses(folder), []);
});

t.test('a run whose nodes end by themselves says so and shows their logs', async (t) => {
  const program = fileURLToPath(new URL('./absent.js', import.meta.url));
  const { result, folder } = await play(t, { program });
  if (result.kind !== 'unfinished') throw new Error('the run was judged');
  t.match(result.reason, /^the daemon of n\d ended by itself with code 1/);
  t.notOk(isGood(result));
  t.match(reportText(result), /FAILED: the daemon[\s\S]*Cannot find module/);
  t.match(JSON.parse(resultLines(result)), { event: 'result', ok: false, reason: result.reason });
  t.notOk(existsSync(folder), 'the folder is gone');
});

t.test('an interrupted run ends at once and leaves nothing behind', async (t) => {
  const interrupt = new AbortController();
  const reason = new MailraftError('PRECONDITION_FAILED', 'ended by SIGINT');
  const hooks: RunHooks = { during: async () => interrupt.abort(reason) };
  const { result, folder } = await play(t, { signal: interrupt.signal }, hooks);
  t.match(result, { kind: 'unfinished', reason: 'ended by SIGINT' });
  t.notOk(existsSync(folder), 'the folder is gone');
  t.same(await findDemoProcesses(folder), []);
});
