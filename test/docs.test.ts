/** Documents that say what is so: every code, verb, endpoint, package and file that they name is there, and none is left out. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { EXIT, exitCodeOf, isErrorCode } from '../src/cli/exit-codes.ts';
import { checkConfig } from '../src/config/load-config.ts';
import { MailraftError } from '../src/errors.ts';
import { problemOf } from '../src/net/http/problem.ts';
import { projectRoot } from './lab/project-files.ts';
import { serve } from './net/http/fake-node.ts';
import { makeAuthority } from './support/certificates.ts';
import { scratch } from './support/scratch.ts';
import { sourcesOf } from './support/sources.ts';

function read(path: string): string {
  return readFileSync(join(projectRoot, path), 'utf8');
}

const DOCUMENTS: readonly string[] = [
  ...['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ...readdirSync(join(projectRoot, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** All that the first group of the pattern finds, once each. */
function found(text: string, pattern: RegExp): readonly string[] {
  return [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ''))].sort();
}

t.test('operating.md has every error code, with its exit code and its HTTP status', async (t) => {
  const codes = found(read('src/errors.ts'), /^ {2}\| '([A-Z_]+)'/gm);
  t.ok(codes.length > 10, `${codes.length} codes`);
  const rows = [
    ...read('docs/operating.md').matchAll(/^\| `([A-Z_]+)` \| (\d) \| (\d{3}) \|/gm),
  ].map(([, code = '', exit, http]) => ({ code, exit: Number(exit), http: Number(http) }));
  t.same(rows.map(({ code }) => code).sort(), codes);
  for (const { code, exit, http } of rows) {
    if (!isErrorCode(code)) throw new Error(code);
    const error = new MailraftError(code, 'x');
    t.same([exitCodeOf(error), problemOf(error).status], [exit, http], code);
  }
});

t.test('operating.md has every exit code', async (t) => {
  const rows = found(read('docs/operating.md'), /^\| (\d) \| [a-z]/gm).map(Number);
  t.same(rows, Object.values(EXIT).sort());
});

t.test('operating.md has every endpoint that there is', async (t) => {
  const { server } = serve(t);
  const { paths } = (await server.app.inject('/openapi.json')).json<{ paths: object }>();
  const served = Object.keys(paths)
    .map((path) => path.replace(/\{(\w+)\}/, ':$1'))
    .filter((path) => !/^\/status\.(js|css)$/.test(path));
  t.ok(served.length > 12, served.join(' '));
  const named = found(read('docs/operating.md'), /`(?:(?:GET|POST|DELETE) )?(\/[A-Za-z0-9/.:]*)`/g);
  t.same(
    served.filter((path) => !named.includes(path)),
    [],
  );
});

t.test('ARCHITECTURE.md says of every dependency why it is there, and of no other', async (t) => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json'));
  const packages = [...Object.keys(dependencies), ...Object.keys(devDependencies)].sort();
  const section = read('ARCHITECTURE.md').split('## Dependencies')[1] ?? '';
  t.same(found(section, /^\| `([^`]+)` \|/gm), packages);
});

t.test('every version of a dependency is exact', async (t) => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json'));
  const versions = Object.entries<string>({ ...dependencies, ...devDependencies });
  t.same(
    versions.filter(([, version]) => !/^(npm:[a-z]+@)?\d+\.\d+\.\d+$/.test(version)),
    [],
  );
});

t.test('every file and every link that a document names is there', async (t) => {
  const missing = DOCUMENTS.flatMap((document) => {
    const text = read(document);
    const files = found(text, /`((?:src|test|docs|web|examples)\/[a-z0-9/.-]*)`/g);
    const links = found(text, /\]\((?!https?:|#)([^)#]+)/g).map((link) =>
      join(dirname(document), link),
    );
    return [...files, ...links]
      .filter((path) => !existsSync(join(projectRoot, path)))
      .map((path) => `${document}: ${path}`);
  });
  t.same(missing, []);
});

t.test('every script that a document names is one', async (t) => {
  const { scripts } = JSON.parse(read('package.json'));
  const named = DOCUMENTS.flatMap((path) => found(read(path), /npm run (?:-s )?([a-z0-9:]+)/g));
  t.ok(named.length > 3);
  t.same(
    named.filter((name) => scripts[name] === undefined),
    [],
  );
});

t.test('the rules that sources refer to are those that safety.md has', async (t) => {
  const sources = [...sourcesOf(['src'], ['.ts']).values()].join('\n');
  const text = sources.replace(/\n\s*(\*|\/\/)\s*/g, ' ');
  const lists = found(text, /safety rules? (\d+(?:(?:, | and |-)\d+)*)/g);
  const rules = new Set(lists.flatMap((list) => list.split(/, | and |-/)).map(Number));
  const known = new Set(found(read('docs/safety.md'), /\b(\d{1,2})\b/g).map(Number));
  t.ok(rules.size > 5, [...rules].join(' '));
  t.same(
    [...rules].filter((rule) => !known.has(rule)),
    [],
  );
});

t.test('the configuration that README.md shows is valid', async (t) => {
  const { path } = scratch(t);
  const sample = /```yaml\n([\s\S]*?)```/.exec(read('README.md'))?.[1] ?? '';
  const { ca, cert, key } = await (await makeAuthority()).issue('mail1');
  const files = { 'ca.pem': ca, 'mail1.pem': cert, 'mail1.key': key };
  for (const [name, pem] of Object.entries(files))
    writeFileSync(join(path, name), pem, { mode: 0o600 });
  mkdirSync(join(path, 'mail'));
  const file = join(path, 'mailraft.yaml');
  const here = sample
    .replace('/srv/mail', 'mail')
    .replace('/var/lib/mailraft', 'data')
    .replace('/usr/sbin/maild', process.execPath)
    .replace('eth0', 'lo');
  writeFileSync(file, here);
  t.same(checkConfig(file).faults, []);
});
