/**
 * What a follower is asked for and passes on to its leader.
 *
 * The product answers "not the leader" instead, so that who asks knows where it went;
 * others that drive this core may want it (`forwardsToLeader`).
 */

import { appendEntries, type Proposal } from './append.ts';
import { broadcastAppend } from './leader.ts';
import { decodeConfigChange } from './membership/change.ts';
import { appendConfig, refusalOf } from './membership/effect.ts';
import type { ForwardedMessage } from './messages.ts';
import { askRead } from './read-index.ts';
import type { RaftState } from './state.ts';
import { NO_NODE } from './types.ts';

/** Passes a request on; false when there is nobody to pass it to. */
export function forward(state: RaftState, message: ForwardedMessage): boolean {
  const isPassedOn = state.options.forwardsToLeader === true && state.role === 'follower';
  if (!isPassedOn || state.leader === NO_NODE) return false;
  const from = message.from === NO_NODE ? state.id : message.from;
  const term = message.type === 'transferLeader' ? state.term : 0;
  state.send({ ...message, from, to: state.leader, term });
  return true;
}

/** Takes at the leader what a follower passed on; false when it must be dropped. */
export function takeForwarded(
  state: RaftState,
  message: Exclude<ForwardedMessage, { type: 'transferLeader' }>,
): boolean {
  if (message.type === 'readIndex') {
    return askRead(state, { token: message.token, from: message.from });
  }
  return proposeAtLeader(state, message.proposals);
}

/**
 * Appends at the leader. A change of the configuration that may not be made now leaves
 * its place to an entry that does nothing, for whoever proposed it counts on a place.
 */
function proposeAtLeader(state: RaftState, proposals: readonly Proposal[]): boolean {
  if (state.tracker.progressOf(state.id) === undefined || state.transfer !== undefined)
    return false;
  const [first] = proposals;
  if (first?.kind === 'config' && proposals.length === 1) {
    const change = decodeConfigChange(first.data);
    const isRefused = refusalOf(state, change) !== undefined;
    const nothing: Proposal = { kind: 'noop', data: new Uint8Array(0) };
    const isAppended = isRefused ? appendEntries(state, [nothing]) : appendConfig(state, change);
    if (!isAppended) return false;
  } else if (!appendEntries(state, proposals)) {
    return false;
  }
  broadcastAppend(state);
  return true;
}
