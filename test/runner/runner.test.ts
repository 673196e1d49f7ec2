/** What counts as passed, failed and skipped, and that nothing outlives its file. */

import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { projectRoot } from '../lab/project-files.ts';
import { scratch } from '../support/scratch.ts';
import { until } from '../support/until.ts';
import { closingLine, fileReport, totalsOf } from './report.ts';
import { type FileRun, FileRunner } from './run-file.ts';
import { choose, findTestFiles, isAlone } from './suites.ts';
import { type Outcome, TapOutcome } from './tap-outcome.ts';

function outcomeOf(tap: string): Outcome {
  const reader = new TapOutcome();
  reader.write(`TAP version 14\n${tap}`);
  return reader.end();
}

/** Runs `code` as a test file of its own. */
async function run(t: Test, code: string, limitSeconds = 20): Promise<FileRun> {
  const { path } = scratch(t);
  symlinkSync(join(projectRoot, 'node_modules'), join(path, 'node_modules'));
  writeFileSync(join(path, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(path, 'a.test.js'), code);
  return new FileRunner(0.5).run(join(path, 'a.test.js'), limitSeconds);
}

t.test('a test is a block that asserts something itself', async (t) => {
  const outcome = outcomeOf(`# Subtest: outer
    # Subtest: inner
        ok 1 - one
        ok 2 - two
        1..2
    ok 1 - inner
    # Subtest: other
        ok 1 - three
        not ok 2 - four
          ---
          found: 5
          ...
        1..2
    not ok 2 - other
    1..2
not ok 1 - outer
1..1
`);
  t.equal(outcome.passed, 1);
  t.match(outcome.failures, [{ name: 'outer > other', text: /^four\nfound: 5$/ }]);
  t.same(outcome.skips, []);
});

t.test('every skip has a name and a reason', async (t) => {
  const { passed, failures, skips } = outcomeOf(`ok 1 - whole # SKIP no root
# Subtest: half
    ok 1 - looks
    ok 2 - touches # SKIP no nft
    1..2
ok 2 - half
# Subtest: later
    1..0 # no disk
ok 3 - later # SKIP no disk
ok 4 - some day # ${'TO' + 'DO'} think
1..4
`);
  t.same([passed, failures.length], [1, 0]);
  t.same(skips.map(({ name, reason }) => `${name}: ${reason}`).sort(), [
    'half > touches: no nft',
    'later: no disk',
    'some day: still to be done: think',
    'whole: no root',
  ]);
});

t.test('a block without an assertion, a wrong plan and a bail out are failures', async (t) => {
  const empty = outcomeOf('# Subtest: empty\n    1..0\nok 1 - empty\n1..1\n');
  t.match(empty.failures, [{ name: 'empty', text: 'it asserts nothing' }]);
  t.match(outcomeOf('ok 1 - one\n1..3\n').failures, [{ text: /TAP: / }]);
  t.match(outcomeOf('ok 1 - one\nBail out! no disk\n').failures, [{ text: /no disk/ }]);
  t.equal(outcomeOf('').failures.length, 1);
});

t.test('a file is skipped as a whole with its reason', async (t) => {
  const { outcome } = await run(t, "import t from 'tap';\nt.plan(0, 'no namespaces');\n");
  t.same(outcome.failures, []);
  t.match(outcome.skips, [{ reason: 'no namespaces' }]);
});

t.test('what real tests print is counted, comments are kept', async (t) => {
  const code = `import t from 'tap';
t.test('right', async (t) => { t.comment('40 samples'); t.ok(true); });
t.test('wrong', async (t) => { t.equal(1, 2, 'one is two'); });
t.test('throws', async () => { throw new Error('bang'); });
`;
  const { outcome } = await run(t, code);
  t.equal(outcome.passed, 1);
  t.same(outcome.comments, ['40 samples']);
  t.same(
    outcome.failures.map(({ name }) => name),
    ['wrong', 'throws'],
  );
  t.match(outcome.failures[0]?.text, /one is two\n[\s\S]*expected/);
});

t.test('a file that fails without a failed test is a failure all the same', async (t) => {
  const exits = await run(
    t,
    "console.log('TAP version 14\\nok 1 - fine\\n1..1'); process.exitCode = 3;",
  );
  t.match(exits.outcome.failures, [{ text: 'it exited with 3 although no test failed' }]);
  const silent = await run(t, 'process.exitCode = 0;');
  t.equal(silent.outcome.failures.length, 1);
  const killed = await run(t, "process.kill(process.pid, 'SIGKILL');");
  t.match(killed.outcome.failures.at(-1), { text: 'it ended by SIGKILL' });
  const broken = await run(t, "import './missing.js';");
  t.match(broken.stderr, /ERR_MODULE_NOT_FOUND/);
});

t.test('a file over its time is killed with everything it started', async (t) => {
  const { path } = scratch(t);
  const note = join(path, 'pid');
  const code = `import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
const child = spawn('sleep', ['600']);
writeFileSync(${JSON.stringify(note)}, String(child.pid));
setInterval(() => {}, 1000);
`;
  const { outcome, seconds } = await run(t, code, 1);
  t.match(outcome.failures.at(-1), { text: 'it took more than 1 s and was killed' });
  t.ok(seconds < 10, `${seconds} s`);
  const pid = readFileSync(note, 'utf8');
  await until(() => !runs(pid), 'its child to be gone');
});

t.test('what a file leaves running is killed when the file is over', async (t) => {
  const { path } = scratch(t);
  const note = join(path, 'pid');
  const code = `import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
const child = spawn('sleep', ['600'], { stdio: 'inherit' });
writeFileSync(${JSON.stringify(note)}, String(child.pid));
child.unref();
console.log('TAP version 14\\nok 1 - fine\\n1..1');
`;
  const { outcome } = await run(t, code);
  t.same([outcome.passed, outcome.failures.length], [1, 0]);
  const pid = readFileSync(note, 'utf8');
  await until(() => !runs(pid), 'its child to be gone');
});

/** A zombie no longer runs. */
function runs(pid: string): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

t.test('the report names what failed and what was skipped, the closing line counts', async (t) => {
  const outcome = {
    passed: 3,
    failures: [{ name: 'a > b', text: 'one is two\nfound: 2' }],
    skips: [{ name: 'c', reason: 'no root' }],
    comments: ['40 samples'],
  };
  const report = fileReport('test/a.test.ts', { outcome, stderr: 'oh\n', seconds: 1.25 });
  t.equal(
    report,
    `FAILED    1.3s  3 passed, 1 failed, 1 skipped  test/a.test.ts
    40 samples
    skipped: c (no root)

  ✗ a > b
      one is two
      found: 2

  standard error:
      oh
`,
  );
  const runs = [{ outcome, stderr: '', seconds: 1 }];
  t.equal(closingLine(totalsOf([...runs, ...runs])), '6 passed, 2 failed, 2 skipped');
});

t.test('files are found by their sources; those that need the machine come last', async (t) => {
  const { path } = scratch(t);
  for (const source of ['test/lab/a', 'test/net/b', 'test/net/support']) {
    for (const [top, extension] of [
      ['.', '.test.ts'],
      ['build', '.test.js'],
    ] as const) {
      const name = source.endsWith('support') ? extension.replace('.test', '') : extension;
      mkdirSync(join(path, top, source, '..'), { recursive: true });
      writeFileSync(join(path, top, source + name), '');
    }
  }
  const files = findTestFiles(path);
  t.same(
    files.map(({ source }) => source),
    ['test/net/b.test.ts', 'test/lab/a.test.ts'],
  );
  t.same(files.map(isAlone), [false, true]);
  t.same(choose(files, ['net', 'nothing']), [files[0]]);
  writeFileSync(join(path, 'test/net/c.test.ts'), '');
  t.throws(() => findTestFiles(path), /c\.test\.js is missing: run "npm run build:test"/);
});
