/**
 * Transcripts number their nodes, and order them as numbers; the core names them, and
 * orders them as strings. With zeros in front both orders are one.
 */

import { NO_NODE, type NodeId } from '../../src/consensus/core/types.ts';

/** As many digits as 2^64 has. */
const DIGITS = 20;

/** The name of a node by its number; 0 is no node. */
export function nodeId(number: number | string): NodeId {
  const digits = String(number).replace(/^0+(?=\d)/, '');
  return digits === '0' ? NO_NODE : digits.padStart(DIGITS, '0');
}

/** The number as it is printed in decimal. */
export function decimal(id: NodeId): string {
  return id === NO_NODE ? '0' : id.replace(/^0+/, '');
}

/** The number as it is printed where messages come from and go to. */
export function hexadecimal(id: NodeId): string {
  return id === NO_NODE ? 'None' : BigInt(id).toString(16);
}
