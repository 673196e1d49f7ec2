/**
 * Changes of the configuration as the log holds them (Raft §6; dissertation §4).
 *
 * ```
 * data of a `config` entry:  JSON { changes, transition, context }, UTF-8; nothing at all: leave
 * ```
 */

import { MailraftError } from '../../../errors.ts';
import { type MemberDetail, NO_NODE, type NodeId } from '../types.ts';
import { nodeOf, readDetail } from './membership.ts';

/**
 * What becomes of one member; `update` changes its detail alone. One that names no node
 * changes nothing: who drives the core may so take a change back that is in the log.
 */
export interface MemberChange {
  readonly kind: 'addVoter' | 'addLearner' | 'addWitness' | 'remove' | 'update';
  readonly id: NodeId;
  readonly detail?: MemberDetail;
}

/**
 * How the joint configuration is left: `auto` uses one only when more than one member
 * changes, and the leader leaves it; `implicit` always uses one, and the leader leaves
 * it; `explicit` always uses one, and stays in it until it is told to leave.
 */
export type Transition = 'auto' | 'implicit' | 'explicit';

/** Without changes and with `auto` it leaves the joint configuration. */
export interface ConfigChange {
  readonly changes: readonly MemberChange[];
  readonly transition: Transition;
  /** Opaque to consensus. */
  readonly context: string;
}

const KINDS: readonly string[] = ['addVoter', 'addLearner', 'addWitness', 'remove', 'update'];
const TRANSITIONS: readonly string[] = ['auto', 'implicit', 'explicit'];
const CHANGES_MAX = 64;
const CONTEXT_CHARS_MAX = 4096;

export const LEAVE_JOINT: ConfigChange = { changes: [], transition: 'auto', context: '' };

/** Whether the change leaves the joint configuration. */
export function leavesJoint({ changes, transition }: ConfigChange): boolean {
  return changes.length === 0 && transition === 'auto';
}

/** Whether the change goes through a joint configuration. */
export function entersJoint({ changes, transition }: ConfigChange): boolean {
  return transition !== 'auto' || changes.length > 1;
}

/** The data of the entry. Leaving is empty, so that no limit ever refuses it. */
export function encodeConfigChange(change: ConfigChange): Uint8Array {
  if (leavesJoint(change) && change.context === '') return new Uint8Array(0);
  return new TextEncoder().encode(JSON.stringify(change));
}

/** @throws {MailraftError} `DATA_INVALID` when the data holds no change */
export function decodeConfigChange(data: Uint8Array): ConfigChange {
  if (data.length === 0) return LEAVE_JOINT;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(data));
  } catch (cause) {
    throw new MailraftError('DATA_INVALID', 'a configuration change is no JSON', { cause });
  }
  if (typeof value !== 'object' || value === null) throw invalid('is no object');
  const { changes, transition, context } = value as Record<string, unknown>;
  if (!Array.isArray(changes) || changes.length > CHANGES_MAX) throw invalid('has no list');
  if (typeof transition !== 'string' || !TRANSITIONS.includes(transition)) {
    throw invalid(`has the transition ${JSON.stringify(transition)}`);
  }
  if (typeof context !== 'string' || context.length > CONTEXT_CHARS_MAX) {
    throw invalid('has a context that is no text, or too long');
  }
  return { changes: changes.map(changeOf), transition: transition as Transition, context };
}

function changeOf(value: unknown): MemberChange {
  if (typeof value !== 'object' || value === null) throw invalid('names no member');
  const { kind, id, detail } = value as Record<string, unknown>;
  if (typeof kind !== 'string' || !KINDS.includes(kind)) {
    throw invalid(`is of the kind ${JSON.stringify(kind)}`);
  }
  const named = id === NO_NODE ? NO_NODE : nodeOf(id);
  const change = { kind: kind as MemberChange['kind'], id: named };
  return detail === undefined ? change : { ...change, detail: readDetail(detail) };
}

function invalid(what: string): MailraftError {
  return new MailraftError('DATA_INVALID', `a configuration change ${what}`);
}
