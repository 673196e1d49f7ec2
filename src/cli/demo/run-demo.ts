/** Runs the demo. Stands here for its signature only. */

import { MailraftError } from '../../errors.ts';

export interface DemoOptions {
  readonly script: boolean;
  readonly seed: number;
  readonly json: boolean;
  readonly keep: boolean;
}

export function runDemo(options: DemoOptions): Promise<number> {
  throw new MailraftError('INVARIANT', `the demo is not part of this build, seed ${options.seed}`);
}
