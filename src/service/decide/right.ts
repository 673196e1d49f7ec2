/**
 * The right to serve, in one place: what opens a tenure and what ends one are the
 * same facts (safety rules 1, 3, 7 and 9).
 */

import type { Cause, Life } from './life.ts';
import { isHeld, leadIsLost } from './orders.ts';
import type { DecideSettings, Situation } from './situation.ts';

export interface Objection {
  readonly cause: Cause;
  /** The same for people, while a tenure is being opened. */
  readonly text: string;
}

/** What forbids the leader of `term` to serve, if anything does. */
export function objectionToServing(
  term: number,
  situation: Situation,
  settings: DecideSettings,
): Objection | undefined {
  const { guardian, lastRecord, capture } = situation;
  if (guardian === undefined) return { cause: 'guardianLost', text: 'the guardian is not there' };
  if (guardian.isLost) return { cause: 'guardianLost', text: 'the guardian does not answer' };
  if (guardian.isOver) return { cause: 'leaseExpired', text: 'the guardian ended the tenure' };
  if (isExpired(situation, settings))
    return { cause: 'leaseExpired', text: 'there is no lease yet' };
  if (capture !== 'armed') return { cause: 'captureLost', text: 'capture is not armed' };
  const isRecorded =
    lastRecord?.kind === 'tenure' &&
    lastRecord.term === term &&
    lastRecord.holder === situation.self &&
    lastRecord.index <= situation.commitIndex;
  if (isRecorded) return undefined;
  return { cause: 'recordLost', text: 'the record of the tenure is being committed' };
}

/** Why this node must let go of everything now, if it must. */
export function lossOf(
  life: Life,
  situation: Situation,
  settings: DecideSettings,
): Cause | undefined {
  if (life.phase === 'fencing') return undefined;
  if (life.phase === 'secondary') return isHeld(situation) ? 'leadLost' : undefined;
  if (leadIsLost(life, situation)) return 'leadLost';
  if (life.phase === 'serving') return objectionToServing(life.term, situation, settings)?.cause;
  if (life.phase === 'stopping' || life.phase === 'flushing') {
    return isHeld(situation) ? lossOfPatience(situation, settings) : undefined;
  }
  // No tenure is open: whatever is held is held without a right.
  if (isHeld(situation)) return 'stray';
  return situation.guardian?.isOver === true ? 'leaseExpired' : undefined;
}

/** Why a planned end can not go on in its own time. */
function lossOfPatience(situation: Situation, settings: DecideSettings): Cause | undefined {
  if (situation.guardian?.isLost === true) return 'guardianLost';
  const isOver = situation.guardian?.isOver === true || isExpired(situation, settings);
  return isOver ? 'leaseExpired' : undefined;
}

function isExpired({ leaseEndMs, nowMs }: Situation, { fenceLeadMs }: DecideSettings): boolean {
  return leaseEndMs - nowMs <= fenceLeadMs;
}
