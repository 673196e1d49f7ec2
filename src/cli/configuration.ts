/** How verbs come to a configuration: where it lies, and its reading, which is loaded only when it is needed. */

import { existsSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { MailraftError } from '../errors.ts';
import type { GlobalOptions } from './verb.ts';

const FILE_HERE = 'mailraft.yaml';

/** The file that was named, or the one of the working folder; undefined when there is neither. */
export function findConfigFile(options: Pick<GlobalOptions, 'config'>): string | undefined {
  return options.config ?? (existsSync(FILE_HERE) ? FILE_HERE : undefined);
}

/** As `findConfigFile`, for verbs that can not do without. */
export function needConfigFile(options: Pick<GlobalOptions, 'config'>): string {
  const file = findConfigFile(options);
  if (file !== undefined) return file;
  throw new MailraftError(
    'USAGE',
    `no configuration: there is no ${JSON.stringify(FILE_HERE)} in this folder, name a file with --config`,
  );
}

/** Reads and validates; throws `CONFIG_INVALID` with every fault. */
export async function readConfig(file: string): Promise<Config> {
  const { loadConfig } = await import('../config/load-config.ts');
  return loadConfig(file);
}
