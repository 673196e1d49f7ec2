/**
 * The vocabulary of decisions: doing nothing, staying, fencing.
 */

import { type Cause, type Decision, type Life, type Orders, SECONDARY } from './life.ts';
import type { Situation } from './situation.ts';

export const NO_ORDERS: Orders = {
  capture: 'off',
  service: 'none',
  propose: undefined,
  flush: false,
  transfer: undefined,
  resign: false,
};

export function stay(life: Life, orders: Orders, waitsFor: string | undefined): Decision {
  return { life, orders, waitsFor };
}

/** Nothing is held: follow, or be rid of a lead that a node on its way out has. */
export function idle(situation: Situation): Decision {
  const resign = situation.isLeader && situation.isShuttingDown;
  return stay(SECONDARY, { ...NO_ORDERS, resign }, undefined);
}

/** Drops everything that is held. */
export function fence(life: Life, situation: Situation, cause: Cause): Decision {
  const term = life.phase === 'secondary' ? situation.term : life.term;
  const next: Life = { phase: 'fencing', term, sinceMs: situation.nowMs, cause };
  const resign = situation.isLeader && situation.term === term;
  return stay(next, { ...NO_ORDERS, service: 'fence', resign }, undefined);
}

/** Whether the service may be running or an address be held here. */
export function isHeld({ guardian }: Situation): boolean {
  return guardian !== undefined && (guardian.service !== 'stopped' || guardian.isAddressHeld);
}

/** Whether the lead that `life` rests on is gone. */
export function leadIsLost(
  life: Exclude<Life, { phase: 'secondary' }>,
  situation: Situation,
): boolean {
  return !situation.isLeader || situation.term !== life.term;
}
