/** Reads a configuration. Stands here for its signatures only. */

import { MailraftError } from '../errors.ts';
import type { Config } from './config.ts';
import type { Fault } from './fault.ts';

export function checkConfig(file: string): {
  config: Config | undefined;
  faults: readonly Fault[];
} {
  throw new MailraftError('INVARIANT', `reading ${file} is not part of this build`);
}

export function loadConfig(file: string): Config {
  throw new MailraftError('INVARIANT', `reading ${file} is not part of this build`);
}
