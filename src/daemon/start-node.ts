/** Starts a node from its configuration. Stands here for its signature only. */

import type { Config } from '../config/config.ts';
import { MailraftError } from '../errors.ts';
import type { Logger } from '../platform/log.ts';

export interface RunningNode {
  stop(): Promise<void>;
  readonly failed: Promise<Error>;
}

export function startNode(config: Config, log: Logger): Promise<RunningNode> {
  log.error({ cluster: config.cluster }, 'no node to start');
  throw new MailraftError('INVARIANT', 'starting a node is not part of this build');
}
