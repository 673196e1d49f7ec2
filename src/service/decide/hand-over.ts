/**
 * Decisions of a node that gives its place away: record it, then ask the target
 * (safety rule 1).
 *
 * Nothing is held here any more. If the target does not take over in time, this
 * node opens a new tenure: the newer record makes the hand-over worthless, also
 * for a message about it that arrives late.
 */

import type { Decision, Life, Orders } from './life.ts';
import { NO_ORDERS, stay } from './orders.ts';
import type { DecideSettings, LastRecord, Situation } from './situation.ts';

type Giving = Extract<Life, { phase: 'handingOver' | 'transferring' }>;

/** Capture stays as it is: armed after a tenure, off where there was none. */
function giving(situation: Situation): Orders {
  return { ...NO_ORDERS, capture: situation.capture === 'off' ? 'off' : 'on' };
}

/** The record of this hand-over, if it is the last word of the log about the tenure. */
function recordOf(life: Giving, { lastRecord, self }: Situation): LastRecord | undefined {
  const isOwn =
    lastRecord?.kind === 'handover' &&
    lastRecord.term === life.term &&
    lastRecord.holder === self &&
    lastRecord.to === life.to;
  return isOwn ? lastRecord : undefined;
}

/** Records that nothing is held any more, and for whom. */
export function handOver(life: Giving, situation: Situation, settings: DecideSettings): Decision {
  if (situation.nowMs - life.sinceMs > settings.leaseMs) return openAgain(life, situation);
  const record = recordOf(life, situation);
  if (record === undefined) {
    const propose = { kind: 'handover', to: life.to } as const;
    return stay(life, { ...giving(situation), propose }, 'the hand-over is being recorded');
  }
  if (record.index > situation.commitIndex) {
    return stay(life, giving(situation), 'the record of the hand-over is being committed');
  }
  const next: Life = { ...life, phase: 'transferring', sinceMs: situation.nowMs };
  const transfer = { to: life.to, handover: record.index };
  return stay(next, { ...giving(situation), transfer }, undefined);
}

/** Asks the target until it leads or its time is over. */
export function transferLead(
  life: Giving,
  situation: Situation,
  settings: DecideSettings,
): Decision {
  if (situation.nowMs - life.sinceMs > settings.leaseMs) return openAgain(life, situation);
  const record = recordOf(life, situation);
  if (situation.transferTarget !== undefined || record === undefined) {
    return stay(life, giving(situation), 'the target is being asked to take over');
  }
  const transfer = { to: life.to, handover: record.index };
  return stay(life, { ...giving(situation), transfer }, 'the target is being asked to take over');
}

/** Back to the start of a tenure; on the way out there is nothing to go back to. */
function openAgain(life: Giving, situation: Situation): Decision {
  if (situation.isShuttingDown) {
    return stay({ phase: 'secondary' }, { ...NO_ORDERS, resign: true }, undefined);
  }
  const next: Life = { phase: 'elected', term: life.term, sinceMs: situation.nowMs };
  return stay(next, giving(situation), undefined);
}
