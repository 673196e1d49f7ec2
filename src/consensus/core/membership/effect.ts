/**
 * When a change of the configuration is proposed, and when it takes effect.
 *
 * It takes effect once it is committed: in the product as soon as that is known, before
 * and apart from what the state machine does (safety rule 10). One change is on its way
 * at a time, and none before the leader has committed an entry of its own term: else two
 * leaders could each rest on a configuration that the other knows nothing of
 * (dissertation §4.1, and the correction to it of 2015).
 */

import { assert, isMailraftError } from '../../../errors.ts';
import { appendEntries, type Proposal } from '../append.ts';
import { copySetIn } from '../copies/decree.ts';
import { broadcastAppend, maybeCommit, sendAppend } from '../leader.ts';
import { becomeFollower } from '../roles.ts';
import type { RaftState } from '../state.ts';
import { type Entry, type LogIndex, type Membership, NO_NODE } from '../types.ts';
import {
  type ConfigChange,
  decodeConfigChange,
  encodeConfigChange,
  LEAVE_JOINT,
} from './change.ts';
import { changed, isJoint, membersAnew } from './reconfigure.ts';

/**
 * Why a change is not proposed: another one is on its way or the leader can not yet know
 * of all before it (`changePending`); the configuration is joint, or it is not; or the
 * change can not follow the present configuration (`invalid`).
 */
export type ConfigRefusal = 'changePending' | 'joint' | 'notJoint' | 'invalid';

/** Why the leader may not propose `change` now; undefined when it may. */
export function refusalOf(state: RaftState, change: ConfigChange): ConfigRefusal | undefined {
  if (state.options.checkConfigChanges === false) return undefined;
  if (!mayChange(state)) return 'changePending';
  const { membership } = state.tracker;
  if (isJoint(membership) && change.changes.length > 0) return 'joint';
  if (!isJoint(membership) && change.changes.length === 0) return 'notJoint';
  return state.options.configTakesEffect === 'whenApplied' || canFollow(membership, change)
    ? undefined
    : 'invalid';
}

function canFollow(membership: Membership, change: ConfigChange): boolean {
  try {
    changed(membership, change);
    return true;
  } catch (error) {
    if (isMailraftError(error, 'CONFIG_INVALID')) return false;
    throw error;
  }
}

function mayChange(state: RaftState): boolean {
  const { log, options, pendingConfigIndex } = state;
  if (options.configTakesEffect === 'whenApplied') return pendingConfigIndex <= log.applied;
  const isSettled = pendingConfigIndex <= log.committed && !state.configs.hasThrough(log.committed);
  if (!isSettled || log.termAt(log.committed) !== state.term) return false;
  return options.mayReconfigure?.() ?? true;
}

/** Appends a change that nothing stands against; false when there is no room. */
export function appendConfig(state: RaftState, change: ConfigChange): boolean {
  const proposal: Proposal = { kind: 'config', data: encodeConfigChange(change) };
  const index = state.log.lastIndex + 1;
  if (!appendEntries(state, [proposal])) return false;
  state.pendingConfigIndex = index;
  return true;
}

/** Takes into effect what is committed; the leader goes on to leave a joint configuration. */
export function takeEffect(state: RaftState): void {
  const { configs, log } = state;
  for (;;) {
    // An effect may commit more.
    const next = configs.takeThrough(log.committed);
    if (next === undefined) break;
    adopt(state, next);
  }
  maybeLeaveJoint(state, log.committed);
}

/** Entries were applied. */
export function configsApplied(state: RaftState): void {
  const { options, configs, log } = state;
  if (options.configTakesEffect === 'whenApplied') configs.dropThrough(log.applied);
  maybeLeaveJoint(state, options.configTakesEffect === 'whenApplied' ? log.applied : log.committed);
}

function adopt(state: RaftState, entry: Entry): void {
  const { tracker, copies } = state;
  const copySet = copySetIn(entry);
  if (copySet !== undefined) {
    tracker.setMembership({ ...tracker.membership, copySet }, state.log.lastIndex);
    copies.committed(entry.index);
  } else {
    switchTo(state, decodeConfigChange(entry.data));
  }
  state.membershipIndex = entry.index;
}

/** The state machine takes in a change; only where it takes effect then. */
export function applyConfig(state: RaftState, entry: Entry): void {
  assert(entry.kind === 'config', `entry ${entry.index} changes no configuration`);
  switchTo(state, decodeConfigChange(entry.data));
  state.membershipIndex = entry.index;
}

/** From now on the changed configuration decides who counts. */
function switchTo(state: RaftState, change: ConfigChange): void {
  const { tracker, options } = state;
  const membership = changed(tracker.membership, change);
  const anew = membersAnew(tracker.membership, change);
  tracker.setMembership(membership, state.log.lastIndex, anew);
  if (state.role !== 'leader') return;
  if (!tracker.isVoter(state.id)) {
    // It has led until its own removal was committed (dissertation §4.2.2).
    if (options.stepDownOnRemoval !== false) becomeFollower(state, state.term, NO_NODE);
    return;
  }
  if (membership.voters.length === 0) return;
  // A smaller quorum may commit more; and who is new must hear of it.
  if (maybeCommit(state)) broadcastAppend(state);
  else for (const id of tracker.members) if (id !== state.id) sendAppend(state, id, false);
  const target = state.transfer?.to;
  if (target !== undefined && !tracker.isVoter(target)) state.transfer = undefined;
}

/** A leader in a joint configuration that is to be left leaves it when nothing is pending. */
function maybeLeaveJoint(state: RaftState, settled: LogIndex): void {
  const isDue = state.role === 'leader' && state.tracker.membership.autoLeave;
  if (!isDue || settled < state.pendingConfigIndex || state.transfer !== undefined) return;
  if (!mayChange(state)) return;
  if (appendConfig(state, LEAVE_JOINT)) broadcastAppend(state);
}
