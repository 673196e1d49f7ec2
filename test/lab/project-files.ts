/** Where the project and its compiled programs are, whether a test runs from source or compiled. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder that holds package.json. */
export const projectRoot: string = findRoot(import.meta.dirname);

/** The folder of everything compiled, tests included. */
export const buildFolder: string = join(projectRoot, 'build');

/** The compiled form of a source file of this project, for instance `src/cli/main.ts`. */
export function builtProgram(source: string, build: string = buildFolder): string {
  const program = join(build, source.replace(/\.ts$/, '.js'));
  if (existsSync(program)) return program;
  throw new Error(`${program} is missing: run "npm run build:test" first`);
}

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error(`no package.json above ${import.meta.dirname}`);
  return findRoot(parent);
}
