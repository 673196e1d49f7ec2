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
import { type Decision, type Life, type Orders, SECONDARY } from './life.ts';
import { fence, idle, isHeld, NO_ORDERS, stay } from './orders.ts';
import { lossOf, objectionToServing } from './right.ts';
import { serve } from './serve.ts';
import type { DecideSettings, Situation } from './situation.ts';

/** What `life` becomes in `situation`, and what is to be done. */
export function decide(life: Life, situation: Situation, settings: DecideSettings): Decision {
  const lost = lossOf(life, situation, settings);
  if (lost !== undefined) {
    const isNothingLeft = lost === 'leadLost' && !isHeld(situation);
    return isNothingLeft ? idle(situation) : fence(life, situation, lost);
  }
  switch (life.phase) {
    case 'secondary':
      return asSecondary(situation);
    case 'elected':
      return asElected(life, situation, settings);
    case 'arming':
      return arm(life, situation, settings);
    case 'opening':
      return open(life, situation, settings);
    case 'serving':
      return serve(life, situation, settings);
    case 'stopping':
    case 'flushing':
      return stop(life, situation, settings);
    case 'handingOver':
      return handOver(life, situation, settings);
    case 'transferring':
      return transferLead(life, situation, settings);
    case 'fencing':
      return fencing(life, situation);
  }
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
  if (situation.isShuttingDown) return idle(situation);
  if (isLeasePossible(life, situation, settings)) {
    // Nor may the place be given away: the target would not wait.
    return stay(life, NO_ORDERS, 'the lease of the node that gave the lead may not be over');
  }
  const unable = inability(situation);
  const obstacle = unable ?? obstacleTo(situation);
  if (obstacle !== undefined) {
    const patienceMs = unable === undefined ? settings.startDeadlineMs : settings.leaseMs;
    return giveUp(life, situation, { obstacle, patienceMs });
  }
  const next: Life = { phase: 'arming', term: life.term, sinceMs: situation.nowMs };
  return stay(next, { ...NO_ORDERS, capture: 'on' }, undefined);
}

/** Whether a tenure that others hold may still have a lease (safety rule 1). */
function isLeasePossible(
  life: Extract<Life, { phase: 'elected' }>,
  { lastRecord, ledByTransfer, nowMs }: Situation,
  settings: DecideSettings,
): boolean {
  const isClosed = lastRecord?.kind === 'handover' || lastRecord?.term === life.term;
  // A lead given by other means than the recorded hand-over proves no lease to be over.
  const untilMs = life.sinceMs + settings.leaseMs * FOREIGN_TRANSFER_WAIT;
  return ledByTransfer && !isClosed && nowMs < untilMs;
}

/** L(1+2e) with e = 2 %. */
const FOREIGN_TRANSFER_WAIT = 1.04;

/** What keeps this node from ever serving, until something changes. */
function inability({ canServe, obstacle, guardian }: Situation): string | undefined {
  if (!canServe) return obstacle ?? 'this node may not serve';
  if (guardian === undefined) return 'the guardian is not there';
  return guardian.isLost ? 'the guardian does not answer' : undefined;
}

/** What keeps it from serving yet (safety rule 9). */
function obstacleTo({ isCaughtUp }: Situation): string | undefined {
  return isCaughtUp ? undefined : 'committed changes are not all applied to the files yet';
}

/** Leads and does not come to serve: after a while whoever can is to lead. */
function giveUp(
  life: Extract<Life, { phase: 'elected' | 'arming' }>,
  situation: Situation,
  { obstacle, patienceMs }: { readonly obstacle: string; readonly patienceMs: number },
): Decision {
  const orders: Orders = { ...NO_ORDERS, capture: life.phase === 'arming' ? 'on' : 'off' };
  const able = situation.candidates.find((candidate) => candidate.isReady);
  if (able === undefined || situation.nowMs - life.sinceMs < patienceMs) {
    return stay(life, orders, obstacle);
  }
  const cause = inability(situation) === undefined ? 'startDeadline' : 'illness';
  const next = { phase: 'handingOver', term: life.term, cause, to: able.id } as const;
  return stay({ ...next, sinceMs: situation.nowMs }, orders, obstacle);
}

function arm(
  life: Extract<Life, { phase: 'arming' }>,
  situation: Situation,
  settings: DecideSettings,
): Decision {
  if (situation.isShuttingDown) return idle(situation);
  const orders: Orders = { ...NO_ORDERS, capture: 'on' };
  if (situation.capture !== 'armed') {
    const patienceMs = settings.startDeadlineMs;
    return giveUp(life, situation, { obstacle: 'capture is being armed', patienceMs });
  }
  const next: Life = { phase: 'opening', term: life.term, sinceMs: situation.nowMs };
  return stay(next, { ...orders, propose: { kind: 'tenure' } }, undefined);
}

function open(
  life: Extract<Life, { phase: 'opening' }>,
  situation: Situation,
  settings: DecideSettings,
): Decision {
  if (situation.isShuttingDown) return idle(situation);
  const orders: Orders = { ...NO_ORDERS, capture: 'on' };
  const record = situation.lastRecord;
  const isProposed = record?.kind === 'tenure' && record.term === life.term;
  if (!isProposed) {
    return stay(life, { ...orders, propose: { kind: 'tenure' } }, 'the tenure is being recorded');
  }
  assert(record.holder === situation.self, 'another node holds the tenure of the own term');
  const objection = objectionToServing(life.term, situation, settings);
  if (objection !== undefined) return stay(life, orders, objection.text);
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
  settings: DecideSettings,
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
    const patienceMs = settings.startDeadlineMs + settings.leaseMs;
    const isInVain = situation.nowMs - life.sinceMs > patienceMs && life.cause !== 'shutdown';
    if (isInVain) return serveOn(life, situation);
    return stay(life, { ...orders, flush: true }, 'its last changes are being committed');
  }
  const ready = situation.candidates.filter((candidate) => candidate.isReady);
  const to = (ready.find(({ id }) => id === life.to) ?? ready[0])?.id;
  if (to !== undefined) {
    const next = { phase: 'handingOver', term: life.term, cause: life.cause, to } as const;
    const propose = { kind: 'handover', to } as const;
    return stay({ ...next, sinceMs: situation.nowMs }, { ...orders, propose }, undefined);
  }
  // Others who are a little behind get the time that they would lose by waiting for the lease.
  const isWorthWaiting = situation.candidates.length > 0;
  if (isWorthWaiting && situation.nowMs - life.sinceMs < settings.leaseMs) {
    return stay(life, { ...orders, flush: true }, 'no other member is ready yet');
  }
  if (life.cause === 'shutdown') return stay(SECONDARY, { ...NO_ORDERS, resign: true }, undefined);
  return serveOn(life, situation);
}

/** Nobody could take over after all. */
function serveOn({ term }: Life & { term: number }, { nowMs }: Situation): Decision {
  const orders: Orders = { ...NO_ORDERS, capture: 'on' };
  return stay({ phase: 'arming', term, sinceMs: nowMs }, orders, undefined);
}

function fencing(life: Extract<Life, { phase: 'fencing' }>, situation: Situation): Decision {
  // Whatever the core thinks, this tenure is over (safety rule 3).
  const resign = situation.isLeader && situation.term === life.term;
  if (!isHeld(situation)) return stay(SECONDARY, { ...NO_ORDERS, resign }, undefined);
  const orders: Orders = { ...NO_ORDERS, service: 'fence', resign };
  return stay(life, orders, 'the service and the address are being dropped');
}
