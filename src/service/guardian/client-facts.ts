/**
 * What the daemon may believe of its guardian: the last report, and what has been
 * ordered since and may be about to happen. Pure.
 *
 * In doubt something is held: a node that believes so gives no vote.
 */

import type { GuardianFacts } from '../decide/situation.ts';
import type { GuardianReport } from './words.ts';

export interface Hearsay {
  readonly report: GuardianReport;
  /** An order to serve was sent and not answered. */
  readonly isServePending: boolean;
  /** The guardian died or does not answer. */
  readonly isLost: boolean;
  /** Without a guardian that says so: its service was looked for and is gone. */
  readonly isServiceGone: boolean;
  /** How often the service crashed under earlier guardians. */
  readonly earlierCrashes: number;
}

export function factsOf(epoch: number, hearsay: Hearsay): GuardianFacts {
  const { report, isServePending, isLost, earlierCrashes } = hearsay;
  const { addresses } = report;
  // One that is being asked for may be held at any moment.
  const isAnyHeld = addresses.some(({ held }) => held || report.isServing);
  const isHolding = report.service.state !== 'stopped' || isAnyHeld;
  const isForeign = report.epoch !== epoch && isHolding;
  return {
    service: serviceOf(hearsay),
    // Only the next guardian can say that an address is gone which its holder left.
    isAddressHeld: isAnyHeld || (isLost && isServePending && addresses.length > 0),
    areAddressesHeld: !isLost && addresses.every(({ held }) => held),
    crashes: earlierCrashes + report.service.crashes,
    isOver: isForeign || (report.epoch === epoch && report.isOver),
    isLost,
  };
}

function serviceOf({ report, isServePending, isServiceGone }: Hearsay): GuardianFacts['service'] {
  if (isServiceGone) return 'stopped';
  const { state } = report.service;
  return state === 'stopped' && isServePending ? 'starting' : state;
}
