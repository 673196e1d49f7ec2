/**
 * Decides what a node does about its service: a pure function of where it stands
 * and what it knows.
 *
 * It is called again whenever a fact may have changed; orders are wishes about
 * the present and may be repeated, so nothing depends on their being seen once.
 * In doubt it does not serve.
 */

import { assert } from '../../errors.ts';
import { handOver, transferLead } from './hand-over.ts';
import { type Cause, type Decision, type Life, type Orders, SECONDARY } from './life.ts';
import { fence, idle, isHeld, leadIsLost, NO_ORDERS, stay } from './orders.ts';
import { serve } from './serve.ts';
import type { DecideSettings, Situation } from './situation.ts';

/** What `life` becomes in `situation`, and what is to be done. */
export function decide(life: Life, situation: Situation, settings: DecideSettings): Decision {
  const lost = lossOf(life, situation, settings);
  if (lost !== undefined) {
    return isHeld(situation) ? fence(life, situation, lost) : idle(situation);
  }
  switch (life.phase) {
    case 'secondary':
      return asSecondary(situation);
    case 'elected':
      return asElected(life, situation, settings);
    case 'arming':
      return arm(life, situation);
    case 'opening':
      return open(life, situation, settings);
    case 'serving':
      return serve(life, situation, settings);
    case 'stopping':
    case 'flushing':
      return stop(life, situation);
    case 'handingOver':
      return handOver(life, situation, settings);
    case 'transferring':
      return transferLead(life, situation, settings);
    case 'fencing':
      return fencing(life, situation);
  }
}

/** Why this node must let go of everything now, if it must. */
function lossOf(life: Life, situation: Situation, settings: DecideSettings): Cause | undefined {
  if (life.phase === 'fencing') return undefined;
  if (life.phase === 'secondary') return isHeld(situation) ? 'leadLost' : undefined;
  if (leadIsLost(life, situation)) return 'leadLost';
  if (!isHeld(situation)) return undefined;
  if (situation.guardian?.isLost === true) return 'guardianLost';
  const isExpired = situation.leaseEndMs - situation.nowMs <= settings.fenceLeadMs;
  return isExpired || situation.guardian?.isOver === true ? 'leaseExpired' : undefined;
}

function asSecondary(situation: Situation): Decision {
  if (!situation.isLeader || situation.isShuttingDown) return idle(situation);
  const life: Life = { phase: 'elected', term: situation.term, sinceMs: situation.nowMs };
  return stay(life, NO_ORDERS, undefined);
}

function asElected(
  life: Extract<Life, { phase: 'elected' }>,
  situation: Situation,
  settings: DecideSettings,
): Decision {
  const obstacle = obstacleTo(life, situation, settings);
  if (obstacle === undefined) {
    const next: Life = { phase: 'arming', term: life.term, sinceMs: situation.nowMs };
    return stay(next, { ...NO_ORDERS, capture: 'on' }, undefined);
  }
  if (situation.canServe || situation.nowMs - life.sinceMs < settings.leaseMs) {
    return stay(life, NO_ORDERS, obstacle);
  }
  // It leads and cannot serve: whoever can is to lead.
  const able = situation.candidates.find((candidate) => candidate.isReady);
  if (able === undefined) return stay(life, NO_ORDERS, obstacle);
  const next = { phase: 'handingOver', cause: 'illness', to: able.id } as const;
  return stay({ ...next, term: life.term, sinceMs: situation.nowMs }, NO_ORDERS, obstacle);
}

/** What keeps an elected node from opening a tenure (safety rules 1 and 9). */
function obstacleTo(
  life: Extract<Life, { phase: 'elected' }>,
  situation: Situation,
  settings: DecideSettings,
): string | undefined {
  if (!situation.canServe) return situation.obstacle ?? 'this node may not serve';
  if (!situation.isCaughtUp) return 'committed changes are not all applied to the files yet';
  if (situation.guardian === undefined) return 'the guardian is not there';
  if (situation.guardian.isLost) return 'the guardian does not answer';
  const { lastRecord, ledByTransfer } = situation;
  const isClosed = lastRecord?.kind === 'handover' || lastRecord?.term === life.term;
  // A lead given by other means than the recorded hand-over proves no lease to be over.
  const untilMs = life.sinceMs + settings.leaseMs * FOREIGN_TRANSFER_WAIT;
  if (ledByTransfer && !isClosed && situation.nowMs < untilMs) {
    return 'the lease of the node that gave the lead may not be over';
  }
  return undefined;
}

/** L(1+2e) with e = 2 %. */
const FOREIGN_TRANSFER_WAIT = 1.04;

function arm(life: Extract<Life, { phase: 'arming' }>, situation: Situation): Decision {
  const orders: Orders = { ...NO_ORDERS, capture: 'on' };
  if (situation.capture !== 'armed') return stay(life, orders, 'capture is being armed');
  const next: Life = { phase: 'opening', term: life.term, sinceMs: situation.nowMs };
  return stay(next, { ...orders, propose: { kind: 'tenure' } }, undefined);
}

function open(
  life: Extract<Life, { phase: 'opening' }>,
  situation: Situation,
  settings: DecideSettings,
): Decision {
  const orders: Orders = { ...NO_ORDERS, capture: 'on' };
  const record = situation.lastRecord;
  const isProposed = record?.kind === 'tenure' && record.term === life.term;
  if (!isProposed) {
    return stay(life, { ...orders, propose: { kind: 'tenure' } }, 'the tenure is being recorded');
  }
  assert(record.holder === situation.self, 'another node holds the tenure of the own term');
  if (record.index > situation.commitIndex) {
    return stay(life, orders, 'the record of the tenure is being committed');
  }
  if (situation.leaseEndMs - situation.nowMs <= settings.fenceLeadMs) {
    return stay(life, orders, 'there is no lease yet');
  }
  const next: Life = {
    phase: 'serving',
    term: life.term,
    sinceMs: situation.nowMs,
    upAtMs: undefined,
    crashesSeen: situation.guardian?.crashes ?? 0,
    restartsAtMs: [],
  };
  return stay(next, { ...orders, service: 'serve' }, undefined);
}

function stop(
  life: Extract<Life, { phase: 'stopping' | 'flushing' }>,
  situation: Situation,
): Decision {
  const orders: Orders = { ...NO_ORDERS, capture: 'on' };
  if (isHeld(situation)) {
    return stay(life, { ...orders, service: 'stop' }, 'the service is stopping');
  }
  if (life.phase === 'stopping') {
    const next: Life = { ...life, phase: 'flushing', sinceMs: situation.nowMs };
    return stay(next, { ...orders, flush: true }, undefined);
  }
  if (!situation.isFlushed) {
    return stay(life, { ...orders, flush: true }, 'its last changes are being committed');
  }
  const ready = situation.candidates.filter((candidate) => candidate.isReady);
  const to = (ready.find(({ id }) => id === life.to) ?? ready[0])?.id;
  if (to !== undefined) {
    const next = { phase: 'handingOver', term: life.term, cause: life.cause, to } as const;
    const propose = { kind: 'handover', to } as const;
    return stay({ ...next, sinceMs: situation.nowMs }, { ...orders, propose }, undefined);
  }
  if (life.cause === 'shutdown') return stay(SECONDARY, { ...NO_ORDERS, resign: true }, undefined);
  // Nobody could take over after all: serve on.
  return stay({ phase: 'arming', term: life.term, sinceMs: situation.nowMs }, orders, undefined);
}

function fencing(life: Extract<Life, { phase: 'fencing' }>, situation: Situation): Decision {
  // Whatever the core thinks, this tenure is over (safety rule 3).
  const resign = situation.isLeader && situation.term === life.term;
  if (!isHeld(situation)) return stay(SECONDARY, { ...NO_ORDERS, resign }, undefined);
  const orders: Orders = { ...NO_ORDERS, service: 'fence', resign };
  return stay(life, orders, 'the service and the address are being dropped');
}
