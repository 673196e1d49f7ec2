/**
 * A campaign of seeded runs, as `npm run sim` makes them: nothing that is promised breaks
 * under faults of every kind, and a seed tells everything. Takes about a minute.
 */

import { execFile } from 'node:child_process';
import t from 'tap';
import { builtProgram } from '../lab/project-files.ts';
import { FAULT_KINDS } from './faults.ts';

const SEEDS = 300;
const MS_MAX = 300_000;

t.setTimeout(MS_MAX);

interface Campaign {
  readonly code: number | null;
  readonly result: {
    readonly passed: number;
    readonly failed: readonly number[];
    readonly committed: number;
    readonly counts: Readonly<Record<string, number>>;
  };
  readonly text: string;
}

function campaign(seed: number, seeds: number): Promise<Campaign> {
  const options = ['--seed', `${seed}`, '--seeds', `${seeds}`, '--json'];
  return new Promise((resolve, reject) => {
    const argv = [builtProgram('test/sim/main.ts'), ...options];
    const child = execFile(process.execPath, argv, { timeout: MS_MAX }, (_, stdout, stderr) => {
      const last = stdout.trimEnd().split('\n').at(-1) ?? '';
      if (!last.startsWith('{')) reject(new Error(`${stdout}\n${stderr}`));
      else resolve({ code: child.exitCode, result: JSON.parse(last), text: stdout });
    });
  });
}

t.test(`${SEEDS} seeds keep every promise`, async (t) => {
  const { code, result, text } = await campaign(1, SEEDS);
  const { passed, failed, committed, counts } = result;
  const times = (kind: string): number => counts[`fault ${kind}`] ?? 0;
  t.comment(`${passed} passed, ${failed.length} failed, ${committed} entries committed`);
  t.comment(FAULT_KINDS.map((kind) => `${times(kind)} ${kind}`).join(', '));
  t.same(failed, [], text);
  t.equal(code, 0);
  t.equal(passed, SEEDS);
  for (const kind of FAULT_KINDS) t.ok(times(kind) >= SEEDS, `${kind} struck ${times(kind)} times`);
  t.ok(committed > SEEDS * 1000, `${committed} entries committed`);
  t.ok((counts['role leader'] ?? 0) > SEEDS * 5, 'the lead moved again and again');
});

t.test('a seed gives the same run every time', async (t) => {
  const [first, second] = [await campaign(7, 2), await campaign(7, 2)];
  t.same(first.result, second.result);
  t.ok(first.result.committed > 0);
});
