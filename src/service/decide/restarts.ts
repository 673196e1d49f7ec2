/**
 * The budget of restarts in place: so many within a window, then another node's turn.
 */

import type { Serving } from './life.ts';
import type { DecideSettings } from './situation.ts';

/** The life after one more restart, or undefined when the budget is used up. */
export function afterRestart(
  life: Serving,
  nowMs: number,
  settings: DecideSettings,
): Serving | undefined {
  const recent = life.restartsAtMs.filter((atMs) => nowMs - atMs < settings.restartsWithinMs);
  if (recent.length >= settings.restartsMax) return undefined;
  return { ...life, sinceMs: nowMs, restartsAtMs: [...recent, nowMs] };
}

/** The life after a restart that no budget allows, because no other node could do better. */
export function afterForcedRestart(life: Serving, nowMs: number): Serving {
  return { ...life, sinceMs: nowMs, restartsAtMs: [...life.restartsAtMs.slice(-99), nowMs] };
}
