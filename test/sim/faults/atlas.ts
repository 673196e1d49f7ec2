/**
 * The fault atlas: which disk may lose something, so that of everything that is committed
 * there is a copy left, and a quorum that can go on (with less the group would wait for
 * ever, rightly).
 */

import { decodeConfigChange } from '../../../src/consensus/core/membership/change.ts';
import { changed } from '../../../src/consensus/core/membership/reconfigure.ts';
import type { EntryId, Membership, NodeId } from '../../../src/consensus/core/types.ts';
import { incarnationIn } from '../../../src/consensus/host/incarnations.ts';
import { isConfigChange, isQuorum } from '../checks/configurations.ts';
import type { SimMember } from '../member.ts';
import { lastIdOf, termAt } from '../storage/image.ts';

/** Every configuration that may decide about something, by what is on the disks. */
export function possibleMemberships(members: readonly SimMember[]): readonly Membership[] {
  const found = new Set<Membership>();
  for (const member of members) {
    if (member.isBlank) continue;
    const { placed, log, count, base } = member.storage.durable;
    const known = member.process?.placed ?? placed;
    let membership = known.membership;
    found.add(membership);
    for (let at = Math.max(0, known.index - base.index); at < count; at += 1) {
      const entry = log[at];
      if (entry === undefined || !isConfigChange(entry)) continue;
      try {
        membership = changed(membership, decodeConfigChange(entry.data));
        found.add(membership);
      } catch {
        // What follows an entry that was replaced, or stands where one was lost.
        break;
      }
    }
  }
  return [...found];
}

/** Nothing is lost on its disk, and a configuration names it. */
export function isWhole({ isBlank, storage }: SimMember): boolean {
  return !isBlank && !storage.isDamaged && !storage.durable.isMuted;
}

/** Whether `members` are a quorum by every configuration, as the disks that it names. */
export function isQuorumOfAll(
  members: readonly SimMember[],
  memberships: readonly Membership[],
): boolean {
  return memberships.every((membership) => {
    const named = members.filter(({ id, incarnation }) => {
      const wanted = incarnationIn(membership, id);
      return wanted === '' || wanted === incarnation;
    });
    return isQuorum(membership, new Set(named.map(({ id }) => id)));
  });
}

/** Whether `victim` may lose something. */
export function mayLose(
  victim: SimMember,
  members: readonly SimMember[],
  witness: NodeId | undefined,
): boolean {
  if (members.some((member) => member !== victim && !member.isBlank && !isWhole(member)))
    return false;
  const others = members.filter((member) => member !== victim && isWhole(member));
  const memberships = possibleMemberships(members);
  if (!isQuorumOfAll(others, memberships)) return false;
  if (witness === undefined) return true;
  // A learner's copy helps nobody to lead.
  const voters = members.filter(({ id }) => memberships.every((each) => each.voters.includes(id)));
  return hasOtherCopy(victim, members, voters, witness);
}

/** With a witness one member may have the only copy of what is committed. */
function hasOtherCopy(
  victim: SimMember,
  members: readonly SimMember[],
  voters: readonly SimMember[],
  witness: NodeId,
): boolean {
  if (victim.id === witness) return members.every((member) => member === victim || isWhole(member));
  const known = members.filter(({ id }) => id === victim.id || id === witness);
  const others = voters.filter((member) => !known.includes(member) && isWhole(member));
  return others.some(({ storage }) =>
    // What was sent by the victim may yet arrive at the witness.
    known.every((member) => {
      const last = lastOf(member);
      return termAt(storage.durable, last.index) === last.term;
    }),
  );
}

/** The end of a member's log, as it has it in memory or else on its disk. */
export function lastOf({ host, storage }: SimMember): EntryId {
  if (host === undefined) return lastIdOf(storage.durable);
  const { lastIndex: index } = host.status;
  return { index, term: host.termAt(index) ?? 0 };
}
