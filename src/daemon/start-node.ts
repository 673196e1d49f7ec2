/**
 * Starts a node from its configuration (the composition root).
 *
 * What an earlier run left of service and addresses is cleaned up before the node
 * speaks to anyone; after that it is reachable, and joins or founds its cluster.
 */

import type { Config } from '../config/config.ts';
import { growAsUsual, staySmall } from '../platform/engine-size.ts';
import type { Logger } from '../platform/log.ts';
import type { MailNode, NodeOptions } from './mail-node.ts';
import type { WitnessNode } from './witness/witness-node.ts';

export interface RunningNode {
  /** Gives the place to another node, if it has it, and ends everything. */
  stop(): Promise<void>;
  /** Resolves when the node can not go on; nothing is held any more by then. */
  readonly failed: Promise<Error>;
}

export async function startNode(
  config: Config,
  log: Logger,
  options: NodeOptions = { isForced: false },
): Promise<RunningNode> {
  const node = await makeNode(config, log, options);
  try {
    await node.start();
    return node;
  } catch (error) {
    await node.abandon();
    throw error;
  }
}

/** Each loads only what it needs: a witness is to run on a small machine. */
async function makeNode(
  config: Config,
  log: Logger,
  options: NodeOptions,
): Promise<MailNode | WitnessNode> {
  const own = config.members.find(({ id }) => id === config.node.id);
  if (own?.role === 'witness') {
    staySmall();
    const { WitnessNode } = await import('./witness/witness-node.ts');
    return new WitnessNode(config, log);
  }
  growAsUsual();
  const { MailNode } = await import('./mail-node.ts');
  return new MailNode(config, log, options);
}
