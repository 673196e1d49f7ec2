/**
 * A campaign of seeded runs, as `npm run sim` makes them: nothing that is promised breaks
 * under faults of every kind, and a seed tells everything. Takes some minutes.
 */

import { execFile } from 'node:child_process';
import t from 'tap';
import { builtProgram } from '../lab/project-files.ts';

const SEEDS = 1000;
const TICKS = 20_000;
const MS_MAX = 600_000;

t.setTimeout(MS_MAX);

interface Outcome {
  readonly code: number | null;
  readonly result: {
    readonly passed: number;
    readonly failed: readonly number[];
    readonly committed: number;
    readonly ticks: number;
    readonly fingerprint: string;
    readonly storages: Readonly<Record<string, number>>;
    readonly counts: Readonly<Record<string, number>>;
    /** What must happen and never did. */
    readonly missing: readonly string[];
  };
  readonly text: string;
}

function campaign(seed: number, seeds: number, ticks: number): Promise<Outcome> {
  const options = ['--seed', `${seed}`, '--seeds', `${seeds}`, '--ticks', `${ticks}`, '--json'];
  return new Promise((resolve, reject) => {
    const argv = [builtProgram('test/sim/main.ts'), ...options];
    const child = execFile(process.execPath, argv, { timeout: MS_MAX }, (_, stdout, stderr) => {
      const last = stdout.trimEnd().split('\n').at(-1) ?? '';
      if (!last.startsWith('{')) reject(new Error(`${stdout}\n${stderr}`));
      else resolve({ code: child.exitCode, result: JSON.parse(last), text: stdout });
    });
  });
}

t.test(`${SEEDS} seeds of ${TICKS} ticks keep every promise`, async (t) => {
  const { code, result, text } = await campaign(1, SEEDS, TICKS);
  const { passed, failed, committed, ticks, storages, missing } = result;
  t.comment(`${passed} passed, ${failed.length} failed, ${committed} entries committed`);
  t.comment(`${ticks} ticks; seeds by storage: ${JSON.stringify(storages)}`);
  t.same(failed, [], text);
  t.same(missing, [], 'everything that must happen happened');
  t.equal(code, 0);
  t.equal(passed, SEEDS);
  t.ok(ticks >= SEEDS * TICKS);
  t.ok(committed > SEEDS * 500, `${committed} entries committed`);
});

t.test('a seed gives the same run every time', async (t) => {
  const [first, second] = [await campaign(7, 4, 3000), await campaign(7, 4, 3000)];
  t.same(first.result, second.result);
  t.ok(first.result.committed > 0);
});
