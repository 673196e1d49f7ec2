/**
 * A copy of the product and the simulator in a temporary folder, patched and compiled.
 * The project itself is never touched.
 */

import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { builtProgram, projectRoot } from '../lab/project-files.ts';
import type { Mutation } from './mutation.ts';

const run = promisify(execFile);

/** What runs seeds in a copy, and all that it imports is compiled with it. */
const PROGRAM = 'test/mutations/seeds-process.ts';
const COPIED = ['src', 'test', 'package.json', 'tsconfig.json'] as const;
const COMMAND_MS_MAX = 60_000;

/** A patch that can not be put to the test: it does not apply, or does not compile. */
export class BadPatch extends Error {}

/** Where a program is, compiled; `remove` deletes what was made for it. */
export interface Workshop {
  readonly program: string;
  remove(): void;
}

/** The product as it is. */
export function unpatched(): Workshop {
  return { program: builtProgram(PROGRAM), remove: () => undefined };
}

/** @throws {BadPatch} naming the mutation when it does not apply or compile */
export async function patched(mutation: Mutation): Promise<Workshop> {
  const folder = mkdtempSync(join(tmpdir(), 'mailraft-mutation-'));
  const remove = (): void => {
    process.off('exit', remove);
    rmSync(folder, { recursive: true, force: true });
  };
  process.on('exit', remove);
  try {
    copyProject(folder);
    await apply(mutation, folder);
    await compile(mutation, folder);
  } catch (error) {
    remove();
    throw error;
  }
  return { program: builtProgram(PROGRAM, join(folder, 'build')), remove };
}

function copyProject(folder: string): void {
  for (const name of COPIED) {
    cpSync(join(projectRoot, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
}

/**
 * Looks whether the patch fits the sources of now, and changes nothing.
 *
 * @throws {BadPatch} naming the mutation when it does not
 */
export async function checkApplies(mutation: Mutation): Promise<void> {
  await apply(mutation, projectRoot, ['--dry-run']);
}

async function apply(
  { name, path }: Mutation,
  folder: string,
  more: readonly string[] = [],
): Promise<void> {
  // Lines may have moved; what stands around them must still be the same.
  const options = ['--strip=1', '--fuzz=0', '--batch', '--forward', '--reject-file=-', ...more];
  try {
    await run('patch', [...options, `--input=${path}`], { cwd: folder, timeout: COMMAND_MS_MAX });
  } catch (error) {
    throw new BadPatch(`${name} does not apply any more: ${outputOf(error)}`);
  }
}

async function compile({ name }: Mutation, folder: string): Promise<void> {
  const settings = {
    extends: './tsconfig.json',
    compilerOptions: {
      noEmit: false,
      outDir: 'build',
      // What a rule needed may be needed no more without it.
      noUnusedLocals: false,
      noUnusedParameters: false,
    },
    include: [],
    files: [PROGRAM],
  };
  writeFileSync(join(folder, 'tsconfig.mutation.json'), JSON.stringify(settings));
  const compiler = join(projectRoot, 'node_modules/.bin/tsc');
  try {
    const argv = ['-p', 'tsconfig.mutation.json'];
    await run(compiler, argv, { cwd: folder, timeout: COMMAND_MS_MAX });
  } catch (error) {
    throw new BadPatch(`${name} does not compile: ${outputOf(error)}`);
  }
}

function outputOf(error: unknown): string {
  const { stdout = '', stderr = '', message } = error as Error & Record<string, string>;
  return `${stdout}${stderr}`.trim() || message;
}
