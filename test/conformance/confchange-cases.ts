/** Cases of configuration changes: each goes on from what the one before left. */

import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import { enterJoint, leaveJoint, simple } from '../../src/consensus/core/membership/reconfigure.ts';
import { Tracker } from '../../src/consensus/core/tracker/tracker.ts';
import type { Membership } from '../../src/consensus/core/types.ts';
import { isMailraftError } from '../../src/errors.ts';
import { theValueOf, toBoolean } from './arguments.ts';
import { parseChanges } from './config-changes.ts';
import { describeMembership, describeProgress } from './describe.ts';
import type { Case } from './transcript.ts';
import { RefusedError } from './transcript-storage.ts';

/** Nothing is sent in these cases. */
const LIMITS = { inflightMessagesMax: 10, inflightBytesMax: Number.MAX_SAFE_INTEGER };

type Change = (membership: Membership, directive: Case) => Membership;

const CHANGES: Readonly<Record<string, Change>> = {
  simple: (membership, { input }) => simple(membership, parseChanges(input)),
  'enter-joint': (membership, directive) =>
    enterJoint(membership, parseChanges(directive.input), leavesByItself(directive)),
  'leave-joint': (membership, { input }) => {
    if (input !== '') throw new RefusedError('this command takes no input');
    return leaveJoint(membership);
  },
};

export const CONFCHANGE_VERBS: readonly string[] = Object.keys(CHANGES);

export function confchangeCases(): (directive: Case) => readonly string[] {
  const tracker = new Tracker(membershipOf({}), LIMITS);
  /** The log's end, which moves on by one with each case. */
  let lastIndex = 0;
  return (directive) => {
    try {
      const change = CHANGES[directive.verb];
      if (change === undefined) throw new RefusedError('unknown command');
      tracker.setMembership(change(tracker.membership, directive), lastIndex);
      return [describeMembership(tracker.membership), ...tracker.progress().map(describeProgress)];
    } catch (caught) {
      if (caught instanceof RefusedError || isMailraftError(caught, 'CONFIG_INVALID')) {
        return [caught.message];
      }
      throw caught;
    } finally {
      lastIndex += 1;
    }
  };
}

function leavesByItself(directive: Case): boolean {
  return directive.args.length > 0 && toBoolean(theValueOf(directive, 'autoleave'));
}
