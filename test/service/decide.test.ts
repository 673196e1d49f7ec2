/** How a node comes to serve: every row is a situation, and what the node must make of it. */

import t from 'tap';
import { decide } from '../../src/service/decide/decide.ts';
import { SECONDARY } from '../../src/service/decide/life.ts';
import type { Situation } from '../../src/service/decide/situation.ts';
import {
  ALL_HELD,
  begun,
  check,
  leading,
  NOBODY_READY,
  NOTHING_HELD,
  NOW_MS,
  OWN_HANDOVER,
  OWN_TENURE,
  outcomeOf,
  SETTINGS,
  TERM,
} from './situations.ts';

t.test('a node that does not lead serves nothing', async (t) => {
  check(t, [
    {
      name: 'it follows',
      life: SECONDARY,
      situation: leading({ isLeader: false }),
      becomes: { phase: 'secondary', capture: 'off' },
    },
    {
      name: 'what an earlier run left is dropped',
      life: SECONDARY,
      situation: leading({ isLeader: false, guardian: ALL_HELD }),
      becomes: { phase: 'fencing', capture: 'off', service: 'fence' },
    },
    {
      name: 'on its way out it gives up a lead that it never used',
      life: SECONDARY,
      situation: leading({ isShuttingDown: true }),
      becomes: { phase: 'secondary', capture: 'off', resign: true },
    },
  ]);
});

t.test('an elected node opens a tenure step by step', async (t) => {
  const open = { capture: 'armed', lastRecord: OWN_TENURE } as const;
  check(t, [
    {
      name: 'it sees that it leads',
      life: SECONDARY,
      situation: leading(),
      becomes: { phase: 'elected', capture: 'off' },
    },
    {
      name: 'it arms capture',
      life: begun('elected'),
      situation: leading(),
      becomes: { phase: 'arming', capture: 'on' },
    },
    {
      name: 'it waits for capture',
      life: begun('arming'),
      situation: leading({ capture: 'arming' }),
      becomes: { phase: 'arming', capture: 'on' },
    },
    {
      name: 'it records its tenure',
      life: begun('arming'),
      situation: leading({ capture: 'armed' }),
      becomes: { phase: 'opening', capture: 'on', propose: { kind: 'tenure' } },
    },
    {
      name: 'it waits for the commit',
      life: begun('opening'),
      situation: leading({ ...open, commitIndex: OWN_TENURE.index - 1 }),
      becomes: { phase: 'opening', capture: 'on' },
    },
    {
      name: 'it waits for a lease',
      life: begun('opening'),
      situation: leading({ ...open, leaseEndMs: NOW_MS + SETTINGS.fenceLeadMs }),
      becomes: { phase: 'opening', capture: 'on' },
    },
    {
      name: 'it serves',
      life: begun('opening'),
      situation: leading(open),
      becomes: { phase: 'serving', capture: 'on', service: 'serve' },
    },
  ]);
});

t.test('an elected node waits for what the service must find', async (t) => {
  const waits = { phase: 'elected', capture: 'off' } as const;
  const cases: Readonly<Record<string, Partial<Situation>>> = {
    'committed changes that are not applied': { isCaughtUp: false },
    'data that is missing': { canServe: false, obstacle: 'files are missing' },
    'a guardian': { guardian: undefined },
    'a guardian that answers': { guardian: { ...NOTHING_HELD, isLost: true } },
  };
  for (const [name, facts] of Object.entries(cases)) {
    t.same(outcomeOf(begun('elected', 1000), leading(facts)), waits, name);
    const { waitsFor } = decide(begun('elected'), leading(facts), SETTINGS);
    t.type(waitsFor, 'string', `${name}: it says so`);
  }
});

t.test('a lead that was given without a recorded hand-over proves no lease over', async (t) => {
  const given = leading({ ledByTransfer: true });
  const waits = { phase: 'elected', capture: 'off' } as const;
  const opens = { phase: 'arming', capture: 'on' } as const;
  const foreign = { ...OWN_HANDOVER, term: TERM - 1, holder: 'b', to: 'a' };
  check(t, [
    { name: 'at once', life: begun('elected'), situation: given, becomes: waits },
    { name: 'after L', life: begun('elected', 6000), situation: given, becomes: waits },
    { name: 'after L(1+2e)', life: begun('elected', 6240), situation: given, becomes: opens },
    {
      name: 'with the record at once',
      life: begun('elected'),
      situation: { ...given, lastRecord: foreign },
      becomes: opens,
    },
    {
      name: 'nor is the place passed on, since the next would not wait',
      life: begun('elected', 6100),
      situation: { ...given, canServe: false },
      becomes: waits,
    },
  ]);
});

t.test('a leader that can not serve lets another lead', async (t) => {
  const gives = { phase: 'handingOver', capture: 'off' } as const;
  const unable = leading({ canServe: false });
  check(t, [
    { name: 'not able for L', life: begun('elected', 6000), situation: unable, becomes: gives },
    {
      name: 'without a guardian for L',
      life: begun('elected', 6000),
      situation: leading({ guardian: undefined }),
      becomes: gives,
    },
    {
      name: 'not caught up when the service should long be up',
      life: begun('elected', 30_000),
      situation: leading({ isCaughtUp: false }),
      becomes: gives,
    },
    {
      name: 'capture is not armed when the service should long be up',
      life: begun('arming', 30_001),
      situation: leading({ capture: 'arming' }),
      becomes: { phase: 'handingOver', capture: 'on' },
    },
    {
      name: 'nobody else could do better',
      life: begun('elected', 60_000),
      situation: { ...unable, candidates: NOBODY_READY },
      becomes: { phase: 'elected', capture: 'off' },
    },
  ]);
});

t.test('a node on its way out opens no tenure', async (t) => {
  for (const phase of ['elected', 'arming', 'opening'] as const) {
    const situation = leading({ isShuttingDown: true, capture: 'armed', lastRecord: OWN_TENURE });
    const becomes = { phase: 'secondary', capture: 'off', resign: true } as const;
    check(t, [{ name: phase, life: begun(phase), situation, becomes }]);
  }
});
