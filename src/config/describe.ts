/** What follows from a configuration, for people. Stands here for its signature only. */

import { MailraftError } from '../errors.ts';
import type { Config } from './config.ts';

export function describeConfig(config: Config): readonly string[] {
  throw new MailraftError('INVARIANT', `describing ${config.file} is not part of this build`);
}
