/** `mailraft member`: who belongs to the cluster, and changes of it. */

import type { Command } from 'commander';
import { MailraftError } from '../errors.ts';
import { readCluster, readOperation } from './answers.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { NodeClient } from './http-client.ts';
import { memberLines } from './member-view.ts';
import { findTarget } from './node-target.ts';
import { follow } from './operation.ts';
import { isConfirmed, oneLine, printJson, printLine, printLines, tell } from './output.ts';
import { ending, example, type GlobalOptions, wholeNumber } from './verb.ts';

interface ChangeOptions {
  readonly dryRun?: true;
  readonly yes?: true;
  readonly timeout: number;
}
interface AddOptions extends ChangeOptions {
  readonly promote?: true;
  readonly priority?: number;
  readonly site?: string;
  readonly neverPrimary?: true;
}

/** A change as it is asked for: where, and with what. */
interface Asked {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** What it does, for the question whether it is meant. */
  readonly text: string;
}

const PRIORITY_MAX = 1000;
const TIMEOUT_SECONDS = 600;
const TIMEOUT_SECONDS_MAX = 86_400;
/** A node answers at once that it begins, but thinks about a dry run. */
const ANSWER_MS = 30_000;

export function addMember(program: Command): void {
  const member = program
    .command('member')
    .description('list the members of the cluster, or change them')
    .addHelpText('after', example('mailraft member add mail4 10.77.0.14:7400 --promote'));
  member
    .command('list')
    .description('the members, their votes, and how far each is')
    .action(ending<object>(runList));
  addAdd(member);
  addOne(member, 'remove', 'take a member out; the primary hands over first');
  addOne(member, 'promote', 'give a learner a vote, if it has caught up');
  addOne(member, 'demote', 'take the vote of a member, which goes on as a learner');
  changing(member.command('priority'))
    .description('change how much a member is preferred as primary')
    .argument('<id>', 'the member')
    .argument('<priority>', `0 to ${PRIORITY_MAX}`, wholeNumber(0, PRIORITY_MAX))
    .action((id: string, priority: number, _: unknown, command: Command) =>
      runChange(command, {
        path: `v1/members/${encodeURIComponent(id)}/priority`,
        body: { priority },
        text: `give ${id} priority ${priority}`,
      }),
    );
}

function addAdd(member: Command): void {
  changing(member.command('add'))
    .description(
      'add a running node as a learner, or take one back that lost its data directory; ' +
        'waits until it has caught up',
    )
    .argument('<id>', 'its node.id')
    .argument('[address]', 'HOST:PORT where the members reach it; known for a member')
    .option('--promote', 'give it a vote once it has caught up')
    .option('--priority <n>', 'as members[].priority', wholeNumber(0, PRIORITY_MAX))
    .option('--site <name>', 'as members[].site')
    .option('--never-primary', 'it is never to run the service')
    .action((id: string, address: string | undefined, _: unknown, command: Command) => {
      const { promote, priority, site, neverPrimary } = command.optsWithGlobals<AddOptions>();
      const given = {
        address,
        promote,
        priority,
        site,
        canBePrimary: neverPrimary === true ? false : undefined,
      };
      const body = Object.fromEntries(
        Object.entries(given).filter(([, value]) => value !== undefined),
      );
      return runChange(command, { path: 'v1/members', body: { id, ...body }, text: `add ${id}` });
    });
}

function addOne(member: Command, kind: 'remove' | 'promote' | 'demote', what: string): void {
  changing(member.command(kind))
    .description(what)
    .argument('<id>', 'the member')
    .action((id: string, _: unknown, command: Command) =>
      runChange(command, {
        path: `v1/members/${encodeURIComponent(id)}/${kind}`,
        body: {},
        text: `${kind} ${id}`,
      }),
    );
}

function changing(command: Command): Command {
  return command
    .option('--dry-run', 'only say what would be done first, or why it is refused')
    .option('--yes', 'do not ask; also where it lowers the safety of the cluster')
    .option(
      '--timeout <seconds>',
      'how long to wait for the end; the change goes on',
      wholeNumber(1, TIMEOUT_SECONDS_MAX),
      TIMEOUT_SECONDS,
    );
}

async function runList(options: GlobalOptions): Promise<ExitCode> {
  const client = new NodeClient(await findTarget(options));
  const cluster = readCluster(await client.get('v1/members'));
  if (options.output === 'json') printJson(cluster);
  else printLines(memberLines(cluster));
  return EXIT.done;
}

async function runChange(command: Command, asked: Asked): Promise<void> {
  process.exitCode = await change(command.optsWithGlobals<GlobalOptions & ChangeOptions>(), asked);
}

async function change(
  options: GlobalOptions & ChangeOptions,
  { path, body, text }: Asked,
): Promise<ExitCode> {
  const client = new NodeClient(await findTarget(options));
  if (process.stdin.isTTY && !options.yes && !options.dryRun && !(await isConfirmed(`${text}?`))) {
    throw new MailraftError('PRECONDITION_FAILED', 'not confirmed, nothing was done');
  }
  const isText = options.output === 'text';
  const manner = { ...(options.dryRun && { dryRun: 'true' }), ...(options.yes && { yes: 'true' }) };
  const query = new URLSearchParams(manner).toString();
  const begun = readOperation(
    await client.post(query === '' ? path : `${path}?${query}`, body, ANSWER_MS),
  );
  if (isText && !options.dryRun) printLine(`operation ${begun.id}`);
  const ended = await follow(client, begun, {
    timeoutMs: options.timeout * 1000,
    onPhase: (name, atMs) => {
      if (isText) printLine(`  +${(atMs / 1000).toFixed(2)} s  ${oneLine(name)}`);
    },
    onProgress: (progress) => {
      if (isText) printLine(`            ${oneLine(progress)}`);
    },
  });
  if (!isText) printJson(ended);
  else printResult(ended.result, options.dryRun === true);
  return EXIT.done;
}

function printResult(result: unknown, isDryRun: boolean): void {
  const { done, warnings } = (result ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof done === 'string')
    printLine(isDryRun ? `would begin with: ${oneLine(done)}` : oneLine(done));
  for (const warning of Array.isArray(warnings) ? warnings : []) {
    tell(`warning: ${oneLine(String(warning))}`);
  }
}
