/**
 * What a path leads to on this machine. Comparisons go by the real place, behind all
 * symbolic links, since two names of one folder are one folder.
 */

import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { systemCode } from '../errors.ts';

export type Kind = 'file' | 'folder' | 'other' | 'nothing' | 'hidden';

/** Codes of a path that leads nowhere, for want of it or of a folder on the way. */
const ABSENT = ['ENOENT', 'ENOTDIR'];

export function kindOf(path: string): Kind {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return 'folder';
    return stat.isFile() ? 'file' : 'other';
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    // No right to look is no proof of absence.
    return ABSENT.includes(code) ? 'nothing' : 'hidden';
  }
}

/** Why `path` is no usable folder, as the end of a sentence. */
export function folderProblem(path: string): string | undefined {
  return PROBLEMS[kindOf(path)];
}

const PROBLEMS: Readonly<Record<Kind, string | undefined>> = {
  folder: undefined,
  nothing: 'which does not exist',
  file: 'which is not a folder',
  other: 'which is not a folder',
  hidden: 'which can not be reached',
};

/** The path without symbolic links, as far as it exists. */
export function realPlace(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    const parent = dirname(path);
    return parent === path ? path : join(realPlace(parent), basename(path));
  }
}

/** Whether `inner` is `outer` or lies below it. */
export function isWithin(inner: string, outer: string): boolean {
  const way = relative(outer, inner);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`));
}

/** How the places overlap, to be followed by a name of the other; undefined when they do not. */
export function overlap(place: string, other: string): string | undefined {
  if (place === other) return 'which is the same folder as';
  if (isWithin(place, other)) return 'which lies within';
  return isWithin(other, place) ? 'which contains' : undefined;
}
