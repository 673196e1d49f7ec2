/** How a primary gives its place away, and what it does when nobody takes it. */

import t from 'tap';
import type { Situation } from '../../src/service/decide/situation.ts';
import {
  ALL_HELD,
  begun,
  check,
  ending,
  NOBODY_READY,
  NOTHING_HELD,
  NOW_MS,
  OWN_HANDOVER,
  OWN_TENURE,
  type Row,
  SERVING,
  serving,
} from './situations.ts';

t.test('a planned move: stop, flush, record, and only then the transfer', async (t) => {
  const asked = serving({ switchover: { to: 'b' } });
  const gone = { ...asked, guardian: NOTHING_HELD };
  const recorded = { ...gone, lastRecord: OWN_HANDOVER };
  const propose = { kind: 'handover', to: 'b' } as const;
  check(t, [
    {
      name: 'the service is asked to stop',
      life: SERVING,
      situation: asked,
      becomes: { phase: 'stopping', capture: 'on', service: 'stop' },
    },
    {
      name: 'the tenure goes on until it has',
      life: ending('stopping', 20_000),
      situation: { ...asked, guardian: { ...ALL_HELD, service: 'stopping' } },
      becomes: { phase: 'stopping', capture: 'on', service: 'stop' },
    },
    {
      name: 'the address counts too',
      life: ending('stopping'),
      situation: { ...gone, guardian: { ...NOTHING_HELD, isAddressHeld: true } },
      becomes: { phase: 'stopping', capture: 'on', service: 'stop' },
    },
    {
      name: 'its last changes',
      life: ending('stopping'),
      situation: gone,
      becomes: { phase: 'flushing', capture: 'on', flush: true },
    },
    {
      name: 'are waited for',
      life: ending('flushing'),
      situation: gone,
      becomes: { phase: 'flushing', capture: 'on', flush: true },
    },
    {
      name: 'the hand-over is proposed',
      life: ending('flushing'),
      situation: { ...gone, isFlushed: true },
      becomes: { phase: 'handingOver', capture: 'on', propose },
    },
    {
      name: 'once more if nobody took it',
      life: ending('handingOver'),
      situation: gone,
      becomes: { phase: 'handingOver', capture: 'on', propose },
    },
    {
      name: 'its commit is waited for',
      life: ending('handingOver'),
      situation: { ...recorded, commitIndex: OWN_HANDOVER.index - 1 },
      becomes: { phase: 'handingOver', capture: 'on' },
    },
    {
      name: 'the target is asked',
      life: ending('handingOver'),
      situation: recorded,
      becomes: {
        phase: 'transferring',
        capture: 'on',
        transfer: { to: 'b', handover: OWN_HANDOVER.index },
      },
    },
    {
      name: 'and not twice at a time',
      life: ending('transferring'),
      situation: { ...recorded, transferTarget: 'b' },
      becomes: { phase: 'transferring', capture: 'on' },
    },
    {
      name: 'another leads: all is done',
      life: ending('transferring'),
      situation: { ...recorded, isLeader: false },
      becomes: { phase: 'secondary', capture: 'off' },
    },
  ]);
});

t.test('a target that does not take over: the old primary records a tenure anew', async (t) => {
  const recorded = serving({ guardian: NOTHING_HELD, lastRecord: OWN_HANDOVER });
  check(t, [
    {
      name: 'not in time',
      life: ending('transferring', 6001),
      situation: recorded,
      becomes: { phase: 'elected', capture: 'on' },
    },
    {
      name: 'a record that is not committed in time is given up too',
      life: ending('handingOver', 6001),
      situation: { ...recorded, commitIndex: 0 },
      becomes: { phase: 'elected', capture: 'on' },
    },
    {
      name: 'the hand-over forbids to serve',
      life: begun('opening'),
      situation: recorded,
      becomes: { phase: 'opening', capture: 'on', propose: { kind: 'tenure' } },
    },
    {
      name: 'the newer record allows it',
      life: begun('opening'),
      situation: { ...recorded, lastRecord: { ...OWN_TENURE, index: 55 } },
      becomes: { phase: 'serving', capture: 'on', service: 'serve' },
    },
    {
      name: 'on its way out it leaves instead',
      life: ending('transferring', 6001),
      situation: { ...recorded, isShuttingDown: true },
      becomes: { phase: 'secondary', capture: 'off', resign: true },
    },
  ]);
});

t.test('a move needs someone to move to', async (t) => {
  const stays = { phase: 'serving', capture: 'on', service: 'serve' } as const;
  const departs = { phase: 'stopping', capture: 'on', service: 'stop' } as const;
  const candidates = [
    { id: 'b', isReady: false },
    { id: 'c', isReady: true },
  ];
  const ill = serving({ illness: 'the disk stalls' });
  const rows: readonly (readonly [string, Situation, Row['becomes']])[] = [
    ['to nobody', serving({ switchover: { to: undefined }, candidates: NOBODY_READY }), stays],
    ['to one that is not ready', serving({ switchover: { to: 'b' }, candidates }), stays],
    ['to whoever is ready', serving({ switchover: { to: undefined }, candidates }), departs],
    ['ill, and someone is ready', ill, departs],
    ['ill, and nobody is ready', { ...ill, candidates: NOBODY_READY }, stays],
    ['told to end: whoever is ready', serving({ isShuttingDown: true }), departs],
    [
      'told to end: even with nobody ready',
      serving({ isShuttingDown: true, candidates: NOBODY_READY }),
      departs,
    ],
  ];
  check(
    t,
    rows.map(([name, situation, becomes]) => ({ name, life: SERVING, situation, becomes })),
  );
});

t.test('a stopped service waits a while for someone to be ready', async (t) => {
  const flushed = serving({ guardian: NOTHING_HELD, isFlushed: true, candidates: NOBODY_READY });
  const leaving = { ...ending('flushing', 6000), cause: 'shutdown' } as const;
  const waits = { phase: 'flushing', capture: 'on', flush: true } as const;
  check(t, [
    { name: 'a while', life: ending('flushing', 5999), situation: flushed, becomes: waits },
    {
      name: 'then it serves on',
      life: ending('flushing', 6000),
      situation: flushed,
      becomes: { phase: 'arming', capture: 'on' },
    },
    {
      name: 'it serves on as well when its last changes can not be committed',
      life: ending('flushing', 36_001),
      situation: { ...flushed, isFlushed: false },
      becomes: { phase: 'arming', capture: 'on' },
    },
    {
      name: 'unless it leaves',
      life: { ...leaving, sinceMs: NOW_MS - 36_001 },
      situation: { ...flushed, isFlushed: false, isShuttingDown: true },
      becomes: { phase: 'flushing', capture: 'on', flush: true },
    },
    {
      name: 'or leaves',
      life: leaving,
      situation: { ...flushed, isShuttingDown: true },
      becomes: { phase: 'secondary', capture: 'off', resign: true },
    },
    {
      name: 'a group of one waits for nobody',
      life: { ...leaving, sinceMs: NOW_MS },
      situation: { ...flushed, isShuttingDown: true, candidates: [] },
      becomes: { phase: 'secondary', capture: 'off', resign: true },
    },
    {
      name: 'another than asked for will do',
      life: ending('flushing'),
      situation: {
        ...flushed,
        candidates: [
          { id: 'b', isReady: false },
          { id: 'c', isReady: true },
        ],
      },
      becomes: { phase: 'handingOver', capture: 'on', propose: { kind: 'handover', to: 'c' } },
    },
  ]);
});
