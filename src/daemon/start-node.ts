/**
 * Starts a node from its configuration (the composition root).
 *
 * What an earlier run left of service and addresses is cleaned up before the node
 * speaks to anyone; after that it is reachable, and joins or founds its cluster.
 */

import type { Config } from '../config/config.ts';
import type { Logger } from '../platform/log.ts';
import { MailNode, type NodeOptions } from './mail-node.ts';
import { WitnessNode } from './witness/witness-node.ts';

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
  const own = config.members.find(({ id }) => id === config.node.id);
  const isWitness = own?.role === 'witness';
  const node = isWitness ? new WitnessNode(config, log) : new MailNode(config, log, options);
  try {
    await node.start();
    return node;
  } catch (error) {
    await node.abandon();
    throw error;
  }
}
