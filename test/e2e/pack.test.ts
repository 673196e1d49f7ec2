/**
 * What is published is the product: the tarball holds what it needs and nothing else,
 * and installed into an empty folder it runs the demo. Takes about a minute.
 */

import { execFile } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { projectRoot } from '../lab/project-files.ts';
import { scratch } from '../support/scratch.ts';

const RUN_MS_MAX = 240_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
/** What npm says where it can reach no registry and has not everything at hand. */
const UNREACHABLE = /ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|network/;
/** All that npm and the product may know of whoever runs this test. */
const KEPT = /^(PATH|HOME|TMPDIR|(https?|no)_proxy|npm_config_(registry|cache|userconfig))$/i;

const INSTALL_OPTIONS = [
  ...['--prefer-offline', '--no-audit', '--no-fund'],
  // A registry that is not there is not waited for ten minutes long.
  ...['--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=2000'],
];

const folder = scratch(t).path;

t.setTimeout(2 * RUN_MS_MAX);

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
function run(cwd: string, program: string, args: readonly string[]): Promise<Ended> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => KEPT.test(name)));
  const options = { cwd, env, timeout: RUN_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX };
  return new Promise((resolve) => {
    const child = execFile(program, args, options, (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

t.test('the tarball has what the product needs, and nothing that its makers need', async (t) => {
  const packed = await run(projectRoot, 'npm', ['pack', '--json', '--pack-destination', folder]);
  t.equal(packed.code, 0, packed.stderr);
  const [{ files }] = JSON.parse(packed.stdout);
  const paths: string[] = files.map(({ path }: { path: string }) => path);
  for (const wanted of [
    ...['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'ARCHITECTURE.md', 'SECURITY.md'],
    ...[
      'dist/src/cli/main.js',
      'dist/src/daemon/mail-node.js',
      'dist/src/service/guardian/main.js',
    ],
    ...['dist/src/journal/thread.js', 'dist/src/replication/thread/worker.js'],
    ...['dist/examples/mail/server.js', 'examples/mail/server.ts', 'web/index.html'],
    'docs/configuration.md',
  ]) {
    t.ok(paths.includes(wanted), `${wanted} is in it`);
  }
  const known = /^((dist\/(src|examples)|web|docs|examples)\/.+|[A-Z]+(\.md)?|package\.json)$/;
  t.same(
    paths.filter((path) => !known.test(path) || /\.test\.|\.map$/.test(path)),
    [],
  );
});

t.test('installed into an empty folder it runs the scripted demo', async (t) => {
  const [tarball = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const installed = await run(folder, 'npm', ['install', ...INSTALL_OPTIONS, `./${tarball}`]);
  if (installed.code !== 0 && UNREACHABLE.test(installed.stderr)) {
    t.plan(0, 'installing what it depends on takes a registry');
    return;
  }
  t.equal(installed.code, 0, installed.stderr);
  const program = join(folder, 'node_modules', '.bin', 'mailraft');
  t.match(await run(folder, program, ['--version']), { code: 0, stderr: '' });
  const demo = await run(folder, program, ['demo', '--script', '--seed', '2']);
  t.equal(demo.code, 0, `${demo.stdout}\n${demo.stderr}`);
  t.match(demo.stdout, /^PASSED in /m);
});
