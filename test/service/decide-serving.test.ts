/** What a primary does about a service that ends or does not come up, and how its right to serve ends. */

import t from 'tap';
import { decide } from '../../src/service/decide/decide.ts';
import type { Life, Serving } from '../../src/service/decide/life.ts';
import type { Situation } from '../../src/service/decide/situation.ts';
import {
  ALL_HELD,
  check,
  ending,
  NOBODY_READY,
  NOTHING_HELD,
  NOW_MS,
  OWN_HANDOVER,
  type Row,
  SERVING,
  SETTINGS,
  serving,
  TERM,
} from './situations.ts';

t.test("a service that does not come up is another node's turn, or tried again", async (t) => {
  const starting: Serving = { ...SERVING, sinceMs: NOW_MS - 30_001, upAtMs: undefined };
  const situation = serving({
    guardian: { ...ALL_HELD, service: 'starting' },
    probes: 'failing',
  });
  check(t, [
    {
      name: 'in time',
      life: { ...starting, sinceMs: NOW_MS - 30_000 },
      situation,
      becomes: { phase: 'serving', capture: 'on', service: 'serve' },
    },
    {
      name: 'late',
      life: starting,
      situation,
      becomes: { phase: 'stopping', capture: 'on', service: 'stop' },
    },
    {
      name: 'late, and nobody else is ready',
      life: starting,
      situation: { ...situation, candidates: NOBODY_READY },
      becomes: { phase: 'serving', capture: 'on', service: 'restart' },
    },
  ]);
  const { life } = decide(starting, situation, SETTINGS);
  t.match(life, { cause: 'startDeadline' });
});

t.test('a service is up when it runs, has its addresses and answers', async (t) => {
  const starting: Serving = { ...SERVING, upAtMs: undefined };
  const upAt = (facts: Partial<Situation>): number | undefined => {
    const { life } = decide(starting, serving(facts), SETTINGS);
    return life.phase === 'serving' ? life.upAtMs : undefined;
  };
  t.equal(upAt({}), NOW_MS);
  t.equal(upAt({ probes: 'failing' }), undefined);
  t.equal(upAt({ probes: 'unknown' }), undefined);
  t.equal(upAt({ guardian: { ...ALL_HELD, service: 'starting' } }), undefined);
  t.equal(upAt({ guardian: { ...ALL_HELD, areAddressesHeld: false } }), undefined);
});

t.test('a service that ends is started again, so often; then another node serves', async (t) => {
  let life: Life = SERVING;
  const seen: string[] = [];
  for (let crashes = 1; crashes <= 3; crashes += 1) {
    const nowMs = NOW_MS + crashes * 1000;
    const guardian = { ...ALL_HELD, service: 'stopped', crashes } as const;
    const facts = { nowMs, leaseEndMs: nowMs + 5000, guardian };
    const decision = decide(life, serving(facts), SETTINGS);
    seen.push(`${decision.life.phase} ${decision.orders.service}`);
    life = decision.life;
    const again = decide(life, serving(facts), SETTINGS);
    if (life.phase === 'serving') t.equal(again.orders.service, 'serve', 'a crash counts once');
  }
  t.same(seen, ['serving restart', 'serving restart', 'stopping stop']);
  t.match(life, { cause: 'service' });
});

t.test(
  'the budget of restarts is for a window of time, and for want of others endless',
  async (t) => {
    const crashed = { ...ALL_HELD, service: 'stopped', crashes: 1 } as const;
    const used = { ...SERVING, restartsAtMs: [NOW_MS - 59_999, NOW_MS - 1] };
    const old = { ...SERVING, restartsAtMs: [NOW_MS - 60_000, NOW_MS - 1] };
    const restarts = { phase: 'serving', capture: 'on', service: 'restart' } as const;
    const departs = { phase: 'stopping', capture: 'on', service: 'stop' } as const;
    const situation = serving({ guardian: crashed });
    const lonely = { ...situation, candidates: NOBODY_READY };
    check(t, [
      { name: 'used up', life: used, situation, becomes: departs },
      { name: 'one is long ago', life: old, situation, becomes: restarts },
      {
        name: 'nobody else is ready',
        life: { ...used, restartsAtMs: [NOW_MS - 59_999, NOW_MS - 1000] },
        situation: lonely,
        becomes: restarts,
      },
      {
        name: 'nobody else is ready, and the last restart was a moment ago',
        life: used,
        situation: lonely,
        becomes: { phase: 'serving', capture: 'on', service: 'serve' },
      },
      {
        name: 'failing probes count like a crash',
        life: used,
        situation: serving({ probes: 'failing' }),
        becomes: departs,
      },
    ]);
    const many = Array.from({ length: 500 }, (_, at) => NOW_MS - 2000 + at);
    const { life } = decide({ ...SERVING, restartsAtMs: many }, lonely, SETTINGS);
    t.ok(
      life.phase === 'serving' && life.restartsAtMs.length <= 100,
      'what is remembered is bounded',
    );
  },
);

t.test('a primary lets go of everything at once when its right ends', async (t) => {
  const resigns = { phase: 'fencing', capture: 'off', service: 'fence', resign: true } as const;
  const follows = { phase: 'fencing', capture: 'off', service: 'fence' } as const;
  const lease = (leftMs: number) => ({ leaseEndMs: NOW_MS + leftMs });
  const rows: readonly (readonly [string, Partial<Situation>, Row['becomes']])[] = [
    ['another leads', { isLeader: false }, follows],
    ['it leads, but in another term', { term: TERM + 1 }, follows],
    ['the fence time has come', lease(SETTINGS.fenceLeadMs), resigns],
    ['there is no lease', { leaseEndMs: 0 }, resigns],
    ['the guardian says that it is over', { guardian: { ...ALL_HELD, isOver: true } }, resigns],
    ['the guardian is lost', { guardian: { ...ALL_HELD, isLost: true } }, resigns],
    ['capture is gone', { capture: 'arming' }, resigns],
    ['the guardian is gone with everything', { guardian: undefined }, resigns],
    ['the guardian has ended it already', { guardian: { ...NOTHING_HELD, isOver: true } }, resigns],
    ['the lease ended, and nothing runs', { ...lease(0), guardian: NOTHING_HELD }, resigns],
    [
      'the guardian is lost, and nothing ran',
      { guardian: { ...NOTHING_HELD, isLost: true } },
      resigns,
    ],
  ];
  check(
    t,
    rows.map(([name, facts, becomes]) => {
      return { name, life: SERVING, situation: serving(facts), becomes };
    }),
  );
  t.match(decide(SERVING, serving(lease(800)), SETTINGS).life, { cause: 'leaseExpired' });
  t.match(decide(SERVING, serving(lease(801)), SETTINGS).life, { phase: 'serving' });
});

t.test('a planned end that runs out of lease becomes an unplanned one', async (t) => {
  const situation = serving({ leaseEndMs: NOW_MS + 800, switchover: { to: 'b' } });
  const becomes = { phase: 'fencing', capture: 'off', service: 'fence', resign: true } as const;
  check(t, [{ name: 'stopping', life: ending('stopping'), situation, becomes }]);
});

t.test(
  'who gives its place away and still holds something drops it, and leads no more',
  async (t) => {
    for (const phase of ['handingOver', 'transferring'] as const) {
      const situation = serving({ lastRecord: OWN_HANDOVER });
      const becomes = { phase: 'fencing', capture: 'off', service: 'fence', resign: true } as const;
      check(t, [{ name: phase, life: ending(phase), situation, becomes }]);
    }
  },
);

const fencing: Life = { phase: 'fencing', term: TERM, sinceMs: NOW_MS, cause: 'leaseExpired' };

t.test('fencing goes on until nothing is held, whoever leads', async (t) => {
  check(t, [
    {
      name: 'still held',
      life: fencing,
      situation: serving({ isLeader: false }),
      becomes: { phase: 'fencing', capture: 'off', service: 'fence' },
    },
    {
      name: 'still held under a renewed lease: the tenure is over all the same',
      life: fencing,
      situation: serving(),
      becomes: { phase: 'fencing', capture: 'off', service: 'fence', resign: true },
    },
    {
      name: 'held by a guardian that is lost',
      life: fencing,
      situation: serving({ isLeader: false, guardian: { ...ALL_HELD, isLost: true } }),
      becomes: { phase: 'fencing', capture: 'off', service: 'fence' },
    },
    {
      name: 'all gone',
      life: fencing,
      situation: serving({ guardian: NOTHING_HELD }),
      becomes: { phase: 'secondary', capture: 'off', resign: true },
    },
    {
      name: 'all gone, and a later term began here: nothing to give up in that',
      life: fencing,
      situation: serving({ term: TERM + 1, guardian: NOTHING_HELD }),
      becomes: { phase: 'secondary', capture: 'off' },
    },
  ]);
});
