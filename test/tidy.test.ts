/**
 * House rules that neither the compiler nor the linter can say. Each is a function
 * from a file to its faults, and each is shown a file that breaks it.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { projectRoot } from './lab/project-files.ts';
import { type Sources, sourcesOf } from './support/sources.ts';

type Rule = (path: string, text: string) => readonly string[];

const LINES_MAX = 400;

/** Names that say nothing about what is inside. */
const EMPTY_WORDS = /(^|[-/])(utils?|helpers?|common|managers?|misc|shared|stuff)([-./]|$)/;

/** Written so that this file does not break the rule itself. */
const POSTPONED = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME'].join('|')})\\b`);

/** Paths that only the machine of some author has. */
const OWN_MACHINE = /["'`(=\s](\/(home|root|Users|work)\/[a-z])/;

const REGISTRY = /\bregistry\.(npmjs\.org|yarnpkg\.com)\b/;

const opensWithDoc: Rule = (_, text) =>
  /^(#!.*\n)?\/\*\*[\s\S]*?\*\/\n/.test(text) ? [] : ['does not open with a doc comment'];

const isShort: Rule = (_, text) => {
  // Explaining is free.
  const code = text.split('\n').filter((line) => !/^\s*(\/?\*|\/\/|$)/.test(line)).length;
  return code > LINES_MAX ? [`has ${code} lines of code, ${LINES_MAX} are allowed`] : [];
};

const hasTellingName: Rule = (path) => {
  const faults: string[] = [];
  if (EMPTY_WORDS.test(path)) faults.push('has a name that says nothing');
  if (/(^|\/)index\.ts$/.test(path)) faults.push('is a barrel');
  if (path !== path.toLowerCase()) faults.push('has a name that is not kebab-case');
  return faults;
};

const saysNothingForLater: Rule = (_, text) =>
  lines(text, POSTPONED).map((line) => `${line}: postpones something`);

const knowsNoMachine: Rule = (_, text) => [
  ...lines(text, OWN_MACHINE).map((line) => `${line}: names a path of one machine`),
  ...lines(text, REGISTRY).map((line) => `${line}: names a registry`),
];

const writesNoConsole: Rule = (_, text) =>
  lines(text, /\bconsole\s*\./).map((line) => `${line}: writes to the console`);

const throwsCodes: Rule = (_, text) =>
  lines(text, /\bthrow new (Error|TypeError|RangeError)\(/).map(
    (line) => `${line}: throws an error without a code`,
  );

/** Numbers of the lines that match. */
function lines(text: string, pattern: RegExp): readonly number[] {
  return text.split('\n').flatMap((line, at) => (pattern.test(line) ? [at + 1] : []));
}

function faultsOf(sources: Sources, rules: readonly Rule[]): readonly string[] {
  return [...sources].flatMap(([path, text]) =>
    rules.flatMap((rule) => rule(path, text).map((fault) => `${path}: ${fault}`)),
  );
}

const SOURCE_RULES = [
  ...[opensWithDoc, isShort, hasTellingName, saysNothingForLater, knowsNoMachine],
  ...[writesNoConsole, throwsCodes],
];
const TEST_RULES = [opensWithDoc, hasTellingName, saysNothingForLater];

t.test('every source file keeps the rules of the house', async (t) => {
  const sources = sourcesOf(['src'], ['.ts']);
  t.ok(sources.size > 100, `${sources.size} files`);
  t.same(faultsOf(sources, SOURCE_RULES), []);
});

t.test('examples, tests and benches keep those that concern them', async (t) => {
  t.same(faultsOf(sourcesOf(['examples', 'test', 'bench'], ['.ts']), TEST_RULES), []);
});

t.test('no document, script or page names a machine or a registry, or postpones', async (t) => {
  const documents = [
    ...['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'],
    ...['package.json', 'knip.json', 'biome.json', '.ci/run'],
    ...['docs/operating.md', 'docs/safety.md', 'docs/configuration.md'],
  ].filter((path) => existsSync(join(projectRoot, path)));
  t.ok(documents.length > 3, documents.join(' '));
  const texts = documents.map(
    (path) => [path, readFileSync(join(projectRoot, path), 'utf8')] as const,
  );
  t.same(faultsOf(new Map(texts), [saysNothingForLater, knowsNoMachine]), []);
});

t.test('each rule finds a file that breaks it', async (t) => {
  const later = ['TO', 'DO'].join('');
  const broken: readonly (readonly [Rule, string, string])[] = [
    [opensWithDoc, 'src/a.ts', "import 'x';\n/** Late. */\n"],
    [isShort, 'src/a.ts', 'a();\n'.repeat(LINES_MAX + 1)],
    [hasTellingName, 'src/net/utils.ts', ''],
    [hasTellingName, 'src/helpers/a.ts', ''],
    [hasTellingName, 'src/net/peer-manager.ts', ''],
    [hasTellingName, 'src/net/index.ts', ''],
    [hasTellingName, 'src/net/peerLink.ts', ''],
    [saysNothingForLater, 'src/a.ts', `// ${later}: later\n`],
    [knowsNoMachine, 'src/a.ts', "const a = '/home/somebody/a';\n"],
    [knowsNoMachine, 'package.json', `"https://registry.${'npmjs'}.org/a"`],
    [writesNoConsole, 'src/a.ts', "console.log('a');\n"],
    [throwsCodes, 'src/a.ts', "throw new Error('a');\n"],
  ];
  for (const [rule, path, text] of broken) {
    t.equal(rule(path, text).length, 1, `${path}: ${text.trim().slice(0, 40)}`);
  }
  const fine = '/** What it is for. */\n\n/** Does it. */\nexport function a(): void {}\n';
  t.same(faultsOf(new Map([['src/net/peer-link.ts', fine]]), SOURCE_RULES), []);
});
