/** Wrong usage exits 2 and says what is wrong; help names every verb with an example. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeProgram } from '../../src/cli/program.ts';
import { projectRoot } from '../lab/project-files.ts';
import { scratch } from '../support/scratch.ts';
import { runVerb } from './verb-process.ts';

const VERBS = ['run', 'demo', 'check', 'status', 'switchover', 'barrier', 'history'];
const LATER = [
  ...['init', 'token', 'join', 'failover', 'pause', 'resume', 'verify', 'salvage'],
  ...['rewind', 'explain', 'dr', 'support', 'fence'],
];

/** What a verb writes and how it ends, without a process. */
async function inProcess(argv: readonly string[]): Promise<{ text: string; error: unknown }> {
  const program = makeProgram();
  let text = '';
  const write = (chunk: string): void => {
    text += chunk;
  };
  for (const command of [program, ...program.commands]) {
    command.configureOutput({ writeOut: write, writeErr: write, getOutHelpWidth: () => 100 });
  }
  const error = await program.parseAsync(argv, { from: 'user' }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { text, error };
}

t.test('the version is that of the package', async (t) => {
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
  const ended = await runVerb(t, ['--version'], { cwd: scratch(t).path });
  t.match(ended, { code: 0, stdout: `${version}\n`, stderr: '' });
});

t.test('help names the verbs, the options of all verbs and the exit codes', async (t) => {
  const ended = await runVerb(t, ['--help'], { cwd: scratch(t).path });
  t.match(ended, { code: 0, stderr: '' });
  const verbs = [...ended.stdout.matchAll(/^ {2}(\w+) \[(?:options|command)\]/gm)].map(
    ([, v]) => v,
  );
  t.same(verbs, [...VERBS, 'help']);
  for (const option of ['--config', '--url', '--token-file', '-o, --output', '--version']) {
    t.match(ended.stdout, new RegExp(`^ {2}${option}\\b`, 'm'));
  }
  t.match(ended.stdout, /^ {2}4 {2}refused by a safety check$/m);
  t.match(ended.stdout, /^Not in this version: init, .*fence\.$/m);
});

for (const verb of VERBS) {
  t.test(`the help of ${verb} shows an example of it`, async (t) => {
    const { text } = await inProcess([verb, '--help']);
    t.match(text, new RegExp(`^Usage: mailraft ${verb} \\[options\\]`));
    t.match(text, new RegExp(`^Example:\\n {2}\\$ mailraft ${verb}\\b`, 'm'));
    t.match(text, /^Global Options:$/m);
  });
}

t.test('the help of switchover, word for word', async (t) => {
  const { text } = await inProcess(['switchover', '--help']);
  t.equal(
    text,
    `Usage: mailraft switchover [options]

move the service to another member, as planned and without loss

Options:
  --to <id>              the member to move to (default: the best one)
  --dry-run              only say what would happen
  --yes                  do not ask on a terminal whether this is meant
  --timeout <seconds>    how long to wait for the end (default: 120)
  -h, --help             display help for command

Global Options:
  --version              print the version
  --config <file>        configuration of the node (default: mailraft.yaml, where it exists)
  --url <url>            HTTP address of a node (default: that of the configuration)
  --token-file <file>    file with the token for calls that change something
  -o, --output <format>  how results are printed (choices: "text", "json", default: "text")

Example:
  $ mailraft switchover --to mail2 --config mailraft.yaml
`,
  );
});

for (const verb of LATER) {
  t.test(`${verb} is known, but not in this version`, async (t) => {
    const { error } = await inProcess([verb, 'list', '--whatever', '--help']);
    t.match(error, { code: 'USAGE', message: `"${verb}" is not in this version` });
  });
}

for (const [argv, said] of [
  [['failover', '--to', 'mail2'], /^mailraft: "failover" is not in this version\n$/],
  [[], /^Usage: mailraft/],
  [['stats'], /^mailraft: unknown command 'stats'\n\(Did you mean status\?\)/],
  [['status', '--wtach'], /^mailraft: unknown option '--wtach'/],
  [['status', 'mail1'], /^mailraft: too many arguments/],
  [['status', '-o', 'xml'], /argument 'xml' is invalid. Allowed choices are text, json/],
  [['status', '--url', 'mail1:7480'], /--url "mail1:7480" is no address of a node/],
  [['history', '--limit', '0'], /accepted is a whole number of 1 to 100000/],
  [['demo', '--nodes', '5'], /Allowed choices are 3/],
  [['run', '--log-level', 'loud'], /Allowed choices are debug, info, warn, error/],
  [['run'], /no configuration: there is no "mailraft\.yaml" in this folder/],
  [['check', '--standby'], /--standby is not in this version/],
] as const) {
  t.test(`${JSON.stringify(argv)} exits 2`, async (t) => {
    const ended = await runVerb(t, argv, { cwd: scratch(t).path });
    t.equal(ended.code, 2);
    t.equal(ended.stdout, '');
    t.match(ended.stderr, said);
  });
}
