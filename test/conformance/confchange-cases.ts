/** Cases of configuration changes: each goes on from what the one before left. */

import type { ConfigChange, MemberChange } from '../../src/consensus/core/membership/change.ts';
import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import {
  enterJoint,
  leaveJoint,
  membersAnew,
  simple,
} from '../../src/consensus/core/membership/reconfigure.ts';
import { Tracker } from '../../src/consensus/core/tracker/tracker.ts';
import type { Membership, NodeId } from '../../src/consensus/core/types.ts';
import { isMailraftError } from '../../src/errors.ts';
import { theValueOf, toBoolean } from './arguments.ts';
import { parseChanges } from './config-changes.ts';
import { describeMembership, describeProgress } from './describe.ts';
import type { Case } from './transcript.ts';
import { RefusedError } from './transcript-storage.ts';

/** Nothing is sent in these cases. */
const LIMITS = { inflightMessagesMax: 10, inflightBytesMax: Number.MAX_SAFE_INTEGER };

/** What a case makes of a configuration, and which of its members are new ones. */
interface Changed {
  readonly membership: Membership;
  readonly anew: ReadonlySet<NodeId>;
}

type Change = (
  membership: Membership,
  changes: readonly MemberChange[],
  directive: Case,
) => Changed;

const CHANGES: Readonly<Record<string, Change>> = {
  simple: (membership, changes) => ({
    membership: simple(membership, changes),
    // There is no outgoing half in which a voter could stay.
    anew: membersAnew(membershipOf({}), changeOf(changes)),
  }),
  'enter-joint': (membership, changes, directive) => ({
    membership: enterJoint(membership, changes, leavesByItself(directive)),
    anew: membersAnew(membership, changeOf(changes)),
  }),
  'leave-joint': (membership, changes) => {
    if (changes.length > 0) throw new RefusedError('this command takes no input');
    return { membership: leaveJoint(membership), anew: new Set() };
  },
};

function changeOf(changes: readonly MemberChange[]): ConfigChange {
  return { changes, transition: 'explicit', context: '' };
}

export const CONFCHANGE_VERBS: readonly string[] = Object.keys(CHANGES);

export function confchangeCases(): (directive: Case) => readonly string[] {
  const tracker = new Tracker(membershipOf({}), LIMITS);
  /** The log's end, which moves on by one with each case. */
  let lastIndex = 0;
  return (directive) => {
    try {
      const change = CHANGES[directive.verb];
      if (change === undefined) throw new RefusedError('unknown command');
      const { membership, anew } = change(
        tracker.membership,
        parseChanges(directive.input),
        directive,
      );
      tracker.setMembership(membership, lastIndex, anew);
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
