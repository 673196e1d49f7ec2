/** `history` tells who was primary when and why. */

import t from 'tap';
import type { HistoryEntry } from '../../src/net/http/node-port.ts';
import { scratch } from '../support/scratch.ts';
import { fakeNode } from './fake-node.ts';
import { historyEntry } from './reports.ts';
import { runVerb } from './verb-process.ts';

type Test = Parameters<typeof fakeNode>[0];

async function history(t: Test, entries: readonly HistoryEntry[], argv: readonly string[] = []) {
  const node = await fakeNode(t, { routes: (app) => app.get('/history', async () => entries) });
  return await runVerb(t, ['history', '--url', node.url, ...argv], { cwd: scratch(t).path });
}

t.test('each change is a line with cause, epoch and phases', async (t) => {
  const first = historyEntry(1, { from: '', to: 'mail1', cause: 'first start', phases: [] });
  const ended = await history(t, [first, historyEntry(2)]);
  t.match(ended, { code: 0, stderr: '' });
  t.same(ended.stdout.split('\n'), [
    'EPOCH  AT                        EVENT     FROM   TO     CAUSE                     PHASES',
    '1      2026-03-01T10:00:01.000Z  takeover  -      mail1  first start               -',
    '2      2026-03-01T10:00:02.000Z  takeover  mail1  mail2  switchover was asked for  stop 1.2 s, start 430 ms',
    '',
  ]);
});

t.test('--limit keeps the latest', async (t) => {
  const entries = [1, 2, 3, 4].map((epoch) => historyEntry(epoch));
  const ended = await history(t, entries, ['--limit', '2', '-o', 'json']);
  const epochs = JSON.parse(ended.stdout).map(({ epoch }: HistoryEntry) => epoch);
  t.same(epochs, [3, 4]);
});

t.test('an empty history says so', async (t) => {
  const ended = await history(t, []);
  t.match(ended, { code: 0, stdout: 'no member has been primary yet\n' });
});
