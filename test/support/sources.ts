/** The project's own source files, as texts by their paths below the project. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../lab/project-files.ts';

export type Sources = ReadonlyMap<string, string>;

/** All files below the folders whose names end so. */
export function sourcesOf(folders: readonly string[], endings: readonly string[]): Sources {
  const sources = new Map<string, string>();
  for (const folder of folders) {
    const names = readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' });
    for (const name of names.sort()) {
      const path = `${folder}/${name}`;
      if (!endings.some((ending) => name.endsWith(ending))) continue;
      sources.set(path, readFileSync(join(projectRoot, path), 'utf8'));
    }
  }
  return sources;
}
