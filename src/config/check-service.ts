/** Whether the program that is the service can be started here. */

import { accessSync, constants } from 'node:fs';
import { isAbsolute } from 'node:path';
import { systemCode } from '../errors.ts';
import { type Finding, quote } from './fault.ts';
import { kindOf } from './places.ts';
import type { RawConfig } from './schema.ts';

export function serviceFindings({ service }: RawConfig): Finding[] {
  const { driver, start } = service;
  if (driver === 'none') {
    if (start === undefined) return [];
    const accepted = 'nothing with driver: none';
    return [{ path: ['service', 'start'], found: 'a program', accepted }];
  }
  const program = start?.[0];
  if (program === undefined) {
    const accepted = 'a list of the program and its arguments, with driver: command';
    return [{ path: ['service', 'start'], found: 'nothing', accepted }];
  }
  const problem = problemOf(program);
  if (problem === undefined) return [];
  const accepted = 'the absolute path of a program that may be executed';
  return [{ path: ['service', 'start', 0], found: `${quote(program)}, ${problem}`, accepted }];
}

function problemOf(program: string): string | undefined {
  if (!isAbsolute(program)) return 'which is no absolute path';
  const kind = kindOf(program);
  if (kind === 'nothing') return 'which does not exist';
  if (kind !== 'file') return 'which is not a file';
  try {
    accessSync(program, constants.X_OK);
    return undefined;
  } catch (error) {
    if (systemCode(error) === 'EACCES') return 'which may not be executed';
    throw error;
  }
}
