/**
 * From one configuration to the next (Raft §6; dissertation §4.3). Pure.
 *
 * `simple` changes one voter, so that majorities before and after have a voter in
 * common. `enterJoint` changes any number: until `leaveJoint`, majorities of the old
 * voters and of the new ones must both agree. A voter that becomes a learner waits in
 * `learnersNext` while the old half still counts its vote.
 */

import { MailraftError } from '../../../errors.ts';
import { type MemberDetail, type Membership, NO_NODE, type NodeId } from '../types.ts';
import { type ConfigChange, entersJoint, leavesJoint, type MemberChange } from './change.ts';

/** A configuration on its way to the next. */
interface Draft {
  readonly voters: Set<NodeId>;
  readonly outgoing: Set<NodeId>;
  readonly learners: Set<NodeId>;
  readonly learnersNext: Set<NodeId>;
  readonly details: Map<NodeId, MemberDetail>;
  witness: NodeId;
  autoLeave: boolean;
}

/**
 * The configuration after a change.
 *
 * @throws {MailraftError} `CONFIG_INVALID` when the change can not follow `membership`
 */
export function changed(membership: Membership, change: ConfigChange): Membership {
  if (leavesJoint(change)) return leaveJoint(membership);
  if (entersJoint(change)) {
    return enterJoint(membership, change.changes, change.transition !== 'explicit');
  }
  return simple(membership, change.changes);
}

/**
 * Members that the change removes, so that nothing that is known of them holds should it
 * add them again: all but those that go on voting in the outgoing half.
 */
export function membersAnew({ voters }: Membership, change: ConfigChange): ReadonlySet<NodeId> {
  const staying = new Set(entersJoint(change) ? voters : []);
  const removed = change.changes.filter(({ kind, id }) => kind === 'remove' && !staying.has(id));
  return new Set(removed.map(({ id }) => id));
}

export function simple(membership: Membership, changes: readonly MemberChange[]): Membership {
  if (isJoint(membership)) throw refused("can't apply simple config change in joint config");
  const draft = draftOf(membership);
  applyAll(draft, changes);
  const before = new Set(membership.voters);
  const isNew = [...draft.voters].filter((id) => !before.has(id)).length;
  const isGone = [...before].filter((id) => !draft.voters.has(id)).length;
  if (isNew + isGone > 1) {
    throw refused('more than one voter changed without entering joint config');
  }
  return finished(draft, membership);
}

export function enterJoint(
  membership: Membership,
  changes: readonly MemberChange[],
  autoLeave: boolean,
): Membership {
  if (isJoint(membership)) throw refused('config is already joint');
  if (membership.voters.length === 0) throw refused("can't make a zero-voter config joint");
  const draft = draftOf({ ...membership, outgoing: membership.voters });
  applyAll(draft, changes);
  draft.autoLeave = autoLeave;
  return finished(draft, membership);
}

export function leaveJoint(membership: Membership): Membership {
  if (!isJoint(membership)) throw refused("can't leave a non-joint config");
  const draft = draftOf(membership);
  for (const id of draft.learnersNext) draft.learners.add(id);
  draft.learnersNext.clear();
  draft.outgoing.clear();
  draft.autoLeave = false;
  return finished(draft, membership);
}

export function isJoint({ outgoing }: Membership): boolean {
  return outgoing.length > 0;
}

function applyAll(draft: Draft, changes: readonly MemberChange[]): void {
  for (const change of changes) if (change.id !== NO_NODE) apply(draft, change);
  if (draft.voters.size === 0) throw refused('removed all voters');
}

function apply(draft: Draft, { kind, id, detail }: MemberChange): void {
  switch (kind) {
    case 'addVoter':
      if (id === draft.witness) throw refused(`${id} is the witness: remove it first`);
      makeVoter(draft, id);
      break;
    case 'addWitness':
      makeWitness(draft, id);
      break;
    case 'addLearner':
      makeLearner(draft, id);
      break;
    case 'remove':
      remove(draft, id);
      break;
    case 'update':
      if (!isMember(draft, id)) return;
      break;
  }
  if (detail !== undefined) setDetail(draft, id, detail);
}

/**
 * A machine whose storage is another one holds nothing of what the member acknowledged, so
 * it is no longer that member: it goes first, and comes back as a new one.
 */
function setDetail(draft: Draft, id: NodeId, detail: MemberDetail): void {
  const known = draft.details.get(id)?.incarnation ?? '';
  if (known !== '' && known !== detail.incarnation) {
    throw refused(`${id} is a member with another incarnation: remove it first`);
  }
  draft.details.set(id, detail);
}

function makeVoter(draft: Draft, id: NodeId): void {
  draft.learners.delete(id);
  draft.learnersNext.delete(id);
  draft.voters.add(id);
}

/** A voter with data has acknowledged data: as a witness it would forget what it vouched for. */
function makeWitness(draft: Draft, id: NodeId): void {
  const other = draft.witness;
  if (other !== NO_NODE && other !== id) throw refused(`${other} is the witness already`);
  if (other === NO_NODE && (draft.voters.has(id) || draft.outgoing.has(id))) {
    throw refused(`${id} is a voter with data: remove it first`);
  }
  makeVoter(draft, id);
  draft.witness = id;
}

function makeLearner(draft: Draft, id: NodeId): void {
  if (draft.learners.has(id)) return;
  draft.voters.delete(id);
  draft.learnersNext.delete(id);
  if (draft.outgoing.has(id)) draft.learnersNext.add(id);
  else draft.learners.add(id);
}

function remove(draft: Draft, id: NodeId): void {
  draft.voters.delete(id);
  draft.learners.delete(id);
  draft.learnersNext.delete(id);
  // In the outgoing half it votes on, as who it was.
  if (!draft.outgoing.has(id)) draft.details.delete(id);
}

function isMember(draft: Draft, id: NodeId): boolean {
  return draft.voters.has(id) || draft.outgoing.has(id) || draft.learners.has(id);
}

function draftOf(membership: Membership): Draft {
  return {
    voters: new Set(membership.voters),
    outgoing: new Set(membership.outgoing),
    learners: new Set(membership.learners),
    learnersNext: new Set(membership.learnersNext),
    details: new Map(Object.entries(membership.details)),
    witness: membership.witness,
    autoLeave: membership.autoLeave,
  };
}

function finished(draft: Draft, { copySet }: Membership): Membership {
  const isVoter = (id: NodeId) => draft.voters.has(id) || draft.outgoing.has(id);
  return {
    voters: sorted(draft.voters),
    outgoing: sorted(draft.outgoing),
    learners: sorted(draft.learners),
    learnersNext: sorted(draft.learnersNext),
    autoLeave: draft.autoLeave,
    witness: isVoter(draft.witness) ? draft.witness : NO_NODE,
    copySet: isVoter(draft.witness) ? copySet.filter(isVoter) : [],
    details: Object.fromEntries([...draft.details].filter(([id]) => isMember(draft, id))),
  };
}

const sorted = (ids: ReadonlySet<NodeId>): NodeId[] => [...ids].sort();

function refused(why: string): MailraftError {
  return new MailraftError('CONFIG_INVALID', why);
}
