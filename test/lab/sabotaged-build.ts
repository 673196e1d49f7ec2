/**
 * A copy of the compiled product in which one place is another: the product has no
 * switch that turns its safety off, so who wants to see it break must break it.
 */

import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildFolder, projectRoot } from './project-files.ts';

export interface Sabotage {
  /** A source file of the product, for instance `src/daemon/member.ts`. */
  readonly file: string;
  /** Stands exactly once in the compiled form of that file. */
  readonly find: string;
  readonly replacement: string;
}

export interface SabotagedBuild {
  /** The folder of the compiled project, for `LabClusterOptions.buildOf`. */
  readonly build: string;
  remove(): void;
}

export function sabotagedBuild({ file, find, replacement }: Sabotage): SabotagedBuild {
  const root = mkdtempSync(join(tmpdir(), 'mailraft-sabotage-'));
  const build = join(root, 'build');
  try {
    mkdirSync(build);
    cpSync(join(buildFolder, 'src'), join(build, 'src'), { recursive: true });
    copyFileSync(join(projectRoot, 'package.json'), join(root, 'package.json'));
    for (const name of ['node_modules', 'web'])
      symlinkSync(join(projectRoot, name), join(root, name));
    const program = join(build, file.replace(/\.ts$/, '.js'));
    const parts = readFileSync(program, 'utf8').split(find);
    if (parts.length !== 2) {
      throw new Error(`${file} has ${parts.length - 1} places that read ${JSON.stringify(find)}`);
    }
    writeFileSync(program, parts.join(replacement));
  } catch (error) {
    rmSync(root, { recursive: true, force: true });
    throw error;
  }
  return { build, remove: () => rmSync(root, { recursive: true, force: true }) };
}
