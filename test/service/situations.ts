/** Situations of a node for the tests of decisions: healthy ones, to be spoilt one fact at a time. */

import type { Test } from 'tap';
import { decide } from '../../src/service/decide/decide.ts';
import type { Life, Orders, Serving } from '../../src/service/decide/life.ts';
import type {
  DecideSettings,
  GuardianFacts,
  LastRecord,
  Situation,
} from '../../src/service/decide/situation.ts';

export const SETTINGS: DecideSettings = {
  leaseMs: 6000,
  fenceLeadMs: 800,
  startDeadlineMs: 30_000,
  restartsMax: 2,
  restartsWithinMs: 60_000,
};

export const TERM = 5;
export const NOW_MS = 100_000;

export const NOTHING_HELD: GuardianFacts = {
  service: 'stopped',
  isAddressHeld: false,
  areAddressesHeld: false,
  crashes: 0,
  isOver: false,
  isLost: false,
};

export const ALL_HELD: GuardianFacts = {
  ...NOTHING_HELD,
  service: 'running',
  isAddressHeld: true,
  areAddressesHeld: true,
};

export const OWN_TENURE: LastRecord = {
  index: 40,
  kind: 'tenure',
  term: TERM,
  holder: 'a',
  to: undefined,
};

export const OWN_HANDOVER: LastRecord = { ...OWN_TENURE, index: 50, kind: 'handover', to: 'b' };

/** A leader with everything in order that holds nothing yet, after another node's tenure. */
export function leading(facts: Partial<Situation> = {}): Situation {
  return {
    nowMs: NOW_MS,
    self: 'a',
    isLeader: true,
    term: TERM,
    ledByTransfer: false,
    isCaughtUp: true,
    canServe: true,
    obstacle: undefined,
    leaseEndMs: NOW_MS + 5000,
    lastRecord: { ...OWN_TENURE, index: 7, term: TERM - 1, holder: 'b' },
    commitIndex: 60,
    capture: 'off',
    isFlushed: false,
    guardian: NOTHING_HELD,
    probes: 'unknown',
    candidates: [
      { id: 'b', isReady: true },
      { id: 'c', isReady: true },
    ],
    transferTarget: undefined,
    switchover: undefined,
    isShuttingDown: false,
    illness: undefined,
    ...facts,
  };
}

/** A primary with everything in order. */
export function serving(facts: Partial<Situation> = {}): Situation {
  return leading({
    lastRecord: OWN_TENURE,
    capture: 'armed',
    guardian: ALL_HELD,
    probes: 'passing',
    ...facts,
  });
}

export const SERVING: Serving = {
  phase: 'serving',
  term: TERM,
  sinceMs: NOW_MS - 20_000,
  upAtMs: NOW_MS - 15_000,
  crashesSeen: 0,
  restartsAtMs: [],
};

export const NOBODY_READY: Situation['candidates'] = [
  { id: 'b', isReady: false },
  { id: 'c', isReady: false },
];

/** What becomes of `life`, in words that tables can hold: its phase, its orders that are not usual. */
export function outcomeOf(
  life: Life,
  situation: Situation,
): { readonly phase: Life['phase'] } & Partial<Orders> {
  const { life: next, orders } = decide(life, situation, SETTINGS);
  const { capture, service, propose, flush, transfer, resign } = orders;
  return {
    phase: next.phase,
    capture,
    ...(service === 'none' ? {} : { service }),
    ...(propose === undefined ? {} : { propose }),
    ...(flush ? { flush } : {}),
    ...(transfer === undefined ? {} : { transfer }),
    ...(resign ? { resign } : {}),
  };
}

/** A situation, and what must become of a life in it. */
export interface Row {
  readonly name: string;
  readonly life: Life;
  readonly situation: Situation;
  readonly becomes: ReturnType<typeof outcomeOf>;
}

/** Decides every row. */
export function check(t: Test, rows: readonly Row[]): void {
  for (const { name, life, situation, becomes } of rows) {
    t.same(outcomeOf(life, situation), becomes, name);
  }
}

/** A life of `phase` that began just now. */
export function begun<P extends 'elected' | 'arming' | 'opening'>(phase: P, agoMs = 0) {
  return { phase, term: TERM, sinceMs: NOW_MS - agoMs } as const;
}

/** A planned end to the advantage of b, since so long. */
export function ending<P extends 'stopping' | 'flushing' | 'handingOver' | 'transferring'>(
  phase: P,
  agoMs = 0,
) {
  return { phase, term: TERM, sinceMs: NOW_MS - agoMs, cause: 'switchover', to: 'b' } as const;
}
