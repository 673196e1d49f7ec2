/**
 * That the mutations can be put to the test; whether each is caught takes longer
 * (`npm run test:mutations`).
 */

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { builtProgram, projectRoot } from '../lab/project-files.ts';
import { scratch } from '../support/scratch.ts';
import { mutationsOf } from './mutation.ts';
import { checkApplies } from './workshop.ts';

const PATCHES = join(projectRoot, 'test/mutations/patches');
const MS_MAX = 60_000;

const HARMLESS = `Other words in a comment.
Rule: none
Caught by: one tenure

--- a/src/consensus/host/lease.ts
+++ b/src/consensus/host/lease.ts
@@ -1,1 +1,2 @@
+// The leader's side.
 /**
`;

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param folder where the program may make temporary folders */
function run(folder: string, ...args: string[]): Promise<Run> {
  const argv = [builtProgram('test/mutations/main.ts'), ...args];
  const options = { timeout: MS_MAX, env: { ...process.env, TMPDIR: folder } };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, argv, options, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

t.test('every mutation says what it breaks and fits the product of now', async (t) => {
  const mutations = mutationsOf(PATCHES);
  t.ok(mutations.length >= 25, `${mutations.length} mutations`);
  for (const mutation of mutations) {
    await t.resolves(checkApplies(mutation), mutation.name);
    t.ok(mutation.breaks.endsWith('.'), `${mutation.name}: ${mutation.breaks}`);
  }
});

t.test('a mutation is caught by an invariant, and the table says which', async (t) => {
  const { path } = scratch(t);
  const name = 'leader-counts-itself-before-fsync';
  const { code, stdout } = await run(path, name, '--seeds', '4', '--ticks', '1000', '--json');
  const { product, trials } = JSON.parse(stdout);
  t.equal(code, 0);
  t.equal(product.caught, undefined, 'the product itself passes');
  t.match(trials, [{ name, isCaught: true, caught: { by: 'invariant', seed: Number } }]);
  t.ok(trials[0].invariants.includes(trials[0].caught.invariant), 'one that the patch names');
  t.same(readdirSync(path), [], 'and nothing is left behind');
});

t.test('what breaks nothing escapes', async (t) => {
  const { path } = scratch(t);
  writeFileSync(join(path, 'harmless.patch'), HARMLESS);
  const { code, stdout } = await run(path, '--patches', path, '--seeds', '2', '--ticks', '200');
  t.equal(code, 1);
  t.match(stdout, /^harmless +-/m);
  t.match(stdout, /^0 caught, 1 escaped$/m);
});

t.test('a patch that does not apply is named and refused', async (t) => {
  const { path } = scratch(t);
  const known = readFileSync(join(PATCHES, 'vote-not-persisted.patch'), 'utf8');
  writeFileSync(join(path, 'outdated.patch'), known.replace(/^ .*$/m, ' other code'));
  const { code, stderr } = await run(path, '--patches', path, '--seeds', '1');
  t.equal(code, 2);
  t.match(stderr, /outdated does not apply any more/);
});

t.test('so is one that does not compile, and a name that is none', async (t) => {
  const { path } = scratch(t);
  writeFileSync(join(path, 'broken.patch'), HARMLESS.replace('+//', '+const one: string = 1; //'));
  const broken = await run(path, '--patches', path, '--seeds', '1', '--ticks', '100');
  t.equal(broken.code, 2);
  t.match(broken.stderr, /broken does not compile/);
  const unknown = await run(path, 'no-such-rule');
  t.equal(unknown.code, 2);
  t.match(unknown.stderr, /no mutation "no-such-rule"/);
});
