/** The core's options as the product runs them, and the voters they speak of. */

import type { Config } from '../config/config.ts';
import { ELECTION_JITTER_TICKS, REPEAT_REQUEST_TICKS } from '../config/timings.ts';
import { membershipOf } from '../consensus/core/membership/membership.ts';
import { type Membership, NO_NODE } from '../consensus/core/types.ts';
import type { HostOptions } from '../consensus/host/ports.ts';
import type { MemberIdentity } from './identity.ts';

const MIB = 1024 * 1024;

export function hostOptions(config: Config, incarnation: string, leaseMs: number): HostOptions {
  const { ticksPerLease, heartbeatTicks } = config.timing;
  return {
    id: config.node.id,
    incarnation,
    leaseMs,
    ticksPerLease,
    core: {
      electionTicks: ticksPerLease,
      electionJitterTicks: ELECTION_JITTER_TICKS,
      heartbeatTicks,
      repeatRequestTicks: REPEAT_REQUEST_TICKS,
      repeatStateTicks: ticksPerLease,
      preVote: true,
      checkQuorum: true,
      appendBytesMax: MIB,
      inflightMessagesMax: 128,
      inflightBytesMax: 8 * MIB,
      uncommittedBytesMax: 32 * MIB,
      applyingBytesMax: 8 * MIB,
    },
  };
}

/**
 * The members that the journal knows, or those of the founding before it knows any. With
 * a witness all the others are the copy set that the group begins with.
 */
export function startingMembership(
  journalled: Membership,
  founders: readonly MemberIdentity[],
): Membership {
  if (journalled.voters.length > 0) return journalled;
  const named = (...roles: MemberIdentity['role'][]): string[] =>
    founders.filter(({ role }) => roles.includes(role)).map(({ id }) => id);
  const details = founders.map(({ id, incarnation, info }) => [id, { incarnation, info }]);
  const [witness] = named('witness');
  return membershipOf({
    voters: named('voter', 'witness'),
    learners: named('learner'),
    witness: witness ?? NO_NODE,
    copySet: witness === undefined ? [] : named('voter'),
    details: Object.fromEntries(details),
  });
}
