/** `npm run conformance`: what it prints, and how it ends. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { builtProgram } from '../lab/project-files.ts';
import { scratch } from '../support/scratch.ts';

const RIGHT = 'vote cfg=(1) votes=(y)\n----\nVoteWon\n';
const WRONG = '# why\nvote cfg=(1) votes=(n)\n----\nVoteWon\n';

/** A directory with these files in it. */
function folderOf(t: Test, files: Readonly<Record<string, string>>): string {
  const { path } = scratch(t);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(path, name, '..'), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

function run(...args: readonly string[]) {
  const program = builtProgram('test/conformance/main.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

t.test('all transcripts below a directory are run, and nothing else', async (t) => {
  const folder = folderOf(t, {
    'a.txt': RIGHT,
    'deep/er/b.txt': RIGHT,
    'README.md': 'one\n----\n',
    LICENSE: 'no case\n',
    '.hidden': WRONG,
  });
  const { status, stdout } = run(folder);
  t.equal(stdout, '2 transcripts, 2 cases: 2 passed, 0 failed\n');
  t.equal(status, 0);
});

t.test('a failure is named, and the exit code is 1', async (t) => {
  const folder = folderOf(t, { 'a.txt': RIGHT, 'b.txt': WRONG });
  const { status, stdout } = run(folder);
  t.match(stdout, `${join(folder, 'b.txt')}:2: vote cfg=(1) votes=(n)\n`);
  t.match(stdout, '  expected: VoteWon\n  got:      VoteLost\n');
  t.match(stdout, /: 1 passed, 1 failed\n$/);
  t.equal(status, 1);
});

t.test('--json gives an object a line', async (t) => {
  const folder = folderOf(t, { 'b.txt': WRONG });
  const { status, stdout } = run('--json', folder);
  const directive = 'vote cfg=(1) votes=(n)';
  const failure = { line: 2, directive, expected: 'VoteWon', got: 'VoteLost' };
  t.match(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [
      { file: join(folder, 'b.txt'), kind: 'quorum', cases: 1, passed: false, failures: [failure] },
      { transcripts: 1, cases: 1, passed: 0, failed: 1 },
    ],
  );
  t.equal(status, 1);
});

t.test('a command line that is wrong ends with 2', async (t) => {
  const empty = folderOf(t, {});
  t.match(run(), { status: 2, stderr: /no directory is named/ });
  t.match(run(join(empty, 'none')), { status: 2, stderr: /there is no .*none/ });
  t.match(run(empty), { status: 2, stderr: /no transcript below/ });
  t.match(run('--colour', empty), { status: 2, stderr: /colour/ });
});
