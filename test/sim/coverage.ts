/** What must have happened at least once in a campaign, else it proves less than it says. */

import type { MessageType } from '../../src/consensus/core/messages.ts';
import { FAULT_KINDS } from './faults/kinds.ts';

/** The others exist for drivers of the core that are not the host. */
const MESSAGES: readonly MessageType[] = [
  'append',
  'appendResponse',
  'heartbeat',
  'heartbeatResponse',
  'preVote',
  'preVoteResponse',
  'vote',
  'voteResponse',
  'snapshot',
  'timeoutNow',
];

const EVENTS = [
  'truncation',
  'compaction',
  'state installed',
  'lease expired',
  'config entry',
  'change addLearner',
  'change addVoter',
  'change remove',
  'change joint',
  'change leave',
  'storage failed',
  'muted',
  'whole again',
  'read',
  'life serving',
  'life transferring',
  'peace of a core',
  'peace of all',
];

export const REQUIRED: readonly string[] = [
  ...FAULT_KINDS.map((kind) => `fault ${kind}`),
  ...MESSAGES.map((type) => `message ${type}`),
  ...['follower', 'preCandidate', 'candidate', 'leader'].map((role) => `role ${role}`),
  ...EVENTS,
];

export function missingIn(counts: Readonly<Record<string, number>>): readonly string[] {
  return REQUIRED.filter((kind) => (counts[kind] ?? 0) === 0);
}
