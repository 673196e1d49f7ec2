/**
 * Where transcripts are: below the directory that `MAILRAFT_CONFORMANCE` names, else in
 * `../shared/conformance` beside the project. They are read where they lie.
 */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../lab/project-files.ts';
import { isTranscript } from './transcript.ts';

export interface TranscriptFile {
  readonly path: string;
  readonly text: string;
}

export const corpusFolder: string =
  process.env['MAILRAFT_CONFORMANCE'] ?? join(projectRoot, '..', 'shared', 'conformance');

/** How the reason begins where others' transcripts are not there. */
export const ABSENT_CORPUS = 'no transcripts in ';

/** Why the suite cannot run; undefined when it can. */
export function whyNoCorpus(): string | undefined {
  if (existsSync(corpusFolder)) return undefined;
  return `${ABSENT_CORPUS}${corpusFolder} (MAILRAFT_CONFORMANCE names another directory)`;
}

/** Every transcript below `folder`, or the file itself. Hidden files and pages are none. */
export function transcriptsBelow(folder: string): readonly TranscriptFile[] {
  const names = statSync(folder).isDirectory()
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
    : [folder];
  return names
    .filter((path) => !/(^|\/)\.[^/.]|\.md$|~$/.test(path.slice(folder.length)))
    .filter((path) => statSync(path).isFile())
    .sort()
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }))
    .filter(({ text }) => isTranscript(text));
}
