/**
 * Decisions of a node whose tenure is open: start, watch, restart, give away.
 */

import type { Cause, Decision, Life, Orders, Serving } from './life.ts';
import { NO_ORDERS, stay } from './orders.ts';
import { afterForcedRestart, afterRestart } from './restarts.ts';
import type { DecideSettings, Situation } from './situation.ts';

const SERVE: Orders = { ...NO_ORDERS, capture: 'on', service: 'serve' };

/** One look at an open tenure: serve on, start anew, or begin to give it away. */
/** A service that nobody else could run is not started anew more often than this. */
const FORCED_RESTART_PAUSE_MS = 1000;

export function serve(life: Serving, situation: Situation, settings: DecideSettings): Decision {
  const departure = departureFor(situation);
  if (departure !== undefined) return depart(life, situation, departure);
  const crashes = situation.guardian?.crashes ?? 0;
  if (crashes > life.crashesSeen) return recover(life, situation, settings);
  if (life.upAtMs !== undefined) {
    if (situation.probes === 'failing') return recover(life, situation, settings);
    return stay(life, SERVE, undefined);
  }
  if (isUp(situation)) return stay({ ...life, upAtMs: situation.nowMs }, SERVE, undefined);
  if (situation.nowMs - life.sinceMs <= settings.startDeadlineMs) {
    return stay(life, SERVE, 'the service is starting');
  }
  if (isAnyoneReady(situation)) {
    return depart(life, situation, { cause: 'startDeadline', to: undefined });
  }
  return restart(afterForcedRestart(life, situation.nowMs));
}

/** An end that was asked for, or that this machine's state suggests. */
function departureFor(
  situation: Situation,
): { readonly cause: Cause; readonly to: string | undefined } | undefined {
  if (situation.isShuttingDown) return { cause: 'shutdown', to: undefined };
  if (situation.switchover !== undefined && isReady(situation, situation.switchover.to)) {
    return { cause: 'switchover', to: situation.switchover.to };
  }
  if (situation.illness !== undefined && isAnyoneReady(situation)) {
    return { cause: 'illness', to: undefined };
  }
  return undefined;
}

/** The service ended or does not answer: start it anew, or let another node. */
function recover(life: Serving, situation: Situation, settings: DecideSettings): Decision {
  const crashesSeen = situation.guardian?.crashes ?? 0;
  const seen = { ...life, crashesSeen };
  const within = afterRestart(seen, situation.nowMs, settings);
  if (within !== undefined) return restart(within);
  if (isAnyoneReady(situation)) {
    return depart(seen, situation, { cause: 'service', to: undefined });
  }
  // Nobody else could do better: go on trying here, with room to breathe in between.
  const lastMs = life.restartsAtMs.at(-1) ?? Number.NEGATIVE_INFINITY;
  if (situation.nowMs - lastMs < FORCED_RESTART_PAUSE_MS) {
    return stay(life, SERVE, 'the service ended again, and is started anew in a moment');
  }
  return restart(afterForcedRestart(seen, situation.nowMs));
}

function restart(life: Serving): Decision {
  // Up again means that the probes pass again: they are asked anew from here.
  return stay({ ...life, upAtMs: undefined }, { ...SERVE, service: 'restart' }, undefined);
}

function depart(
  life: Serving,
  situation: Situation,
  { cause, to }: { readonly cause: Cause; readonly to: string | undefined },
): Decision {
  const next: Life = {
    phase: 'stopping',
    term: life.term,
    sinceMs: situation.nowMs,
    cause,
    to,
  };
  return stay(next, { ...NO_ORDERS, capture: 'on', service: 'stop' }, undefined);
}

function isUp({ guardian, probes }: Situation): boolean {
  return guardian?.service === 'running' && guardian.areAddressesHeld && probes === 'passing';
}

function isAnyoneReady(situation: Situation): boolean {
  return isReady(situation, undefined);
}

/** Whether `wanted`, or anyone where nobody is named, could take over. */
function isReady({ candidates }: Situation, wanted: string | undefined): boolean {
  return candidates.some(({ id, isReady }) => isReady && (wanted ?? id) === id);
}
