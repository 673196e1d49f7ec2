/** What the daemon may believe of its guardian: in doubt, that something is held. */

import t from 'tap';
import { factsOf, type Hearsay } from '../../src/service/guardian/client-facts.ts';
import { type GuardianReport, parseDaemonWord } from '../../src/service/guardian/words.ts';

const IDLE: GuardianReport = {
  epoch: 0,
  deadlines: undefined,
  isOver: false,
  isServing: false,
  service: { state: 'stopped', pid: undefined, crashes: 0 },
  processes: [],
  addresses: [
    { address: 'a', held: false, problem: undefined },
    { address: 'b', held: false, problem: undefined },
  ],
  announcements: 0,
};

const SERVING: GuardianReport = {
  ...IDLE,
  epoch: 5,
  isServing: true,
  service: { state: 'running', pid: 1, crashes: 2 },
  addresses: IDLE.addresses.map((address) => ({ ...address, held: true })),
};

function hearsay(report: GuardianReport, more: Partial<Hearsay> = {}): Hearsay {
  const calm = { isServePending: false, isLost: false, isServiceGone: false, earlierCrashes: 0 };
  return { report, ...calm, ...more };
}

t.test('what was reported is believed', async (t) => {
  t.same(factsOf(5, hearsay(SERVING)), {
    service: 'running',
    isAddressHeld: true,
    areAddressesHeld: true,
    crashes: 2,
    isOver: false,
    isLost: false,
  });
  t.same(factsOf(1, hearsay(IDLE)), {
    service: 'stopped',
    isAddressHeld: false,
    areAddressesHeld: false,
    crashes: 0,
    isOver: false,
    isLost: false,
  });
});

t.test('one address of two is held in part', async (t) => {
  const addresses = SERVING.addresses.map((address, at) => ({ ...address, held: at === 0 }));
  const facts = factsOf(5, hearsay({ ...SERVING, addresses }));
  t.ok(facts.isAddressHeld);
  t.notOk(facts.areAddressesHeld);
});

t.test('an order to serve that is not answered may be carried out at any moment', async (t) => {
  t.equal(factsOf(5, hearsay(IDLE, { isServePending: true })).service, 'starting');
  const stopping = { ...SERVING, service: { ...SERVING.service, state: 'stopping' as const } };
  t.equal(factsOf(5, hearsay(stopping, { isServePending: true })).service, 'stopping');
});

t.test('an address that is being asked for may be held at any moment', async (t) => {
  const facts = factsOf(5, hearsay({ ...IDLE, epoch: 5, isServing: true }));
  t.ok(facts.isAddressHeld);
  t.notOk(facts.areAddressesHeld);
  t.ok(factsOf(6, hearsay({ ...IDLE, epoch: 5, isServing: true })).isOver);
});

t.test('what is held for another epoch is over for this one', async (t) => {
  t.ok(factsOf(6, hearsay(SERVING)).isOver);
  t.notOk(factsOf(6, hearsay({ ...IDLE, epoch: 5, isOver: true })).isOver, 'nothing is held');
  t.ok(factsOf(5, hearsay({ ...SERVING, isOver: true })).isOver);
});

t.test('a lost guardian leaves its last words until what it held was seen gone', async (t) => {
  const lost = factsOf(5, hearsay(SERVING, { isLost: true }));
  t.same([lost.service, lost.isAddressHeld, lost.isLost], ['running', true, true]);
  t.notOk(lost.areAddressesHeld, 'nobody vouches for all of them');
  const gone = factsOf(5, hearsay(SERVING, { isLost: true, isServiceGone: true }));
  t.equal(gone.service, 'stopped');
  t.ok(gone.isAddressHeld, 'only the next guardian can say that of an address');
});

t.test('a guardian lost with an order on its way may have taken the address', async (t) => {
  const facts = factsOf(5, hearsay(IDLE, { isLost: true, isServePending: true }));
  t.equal(facts.service, 'starting');
  t.ok(facts.isAddressHeld);
});

t.test('crashes are counted on when another guardian takes over', async (t) => {
  t.equal(factsOf(5, hearsay(SERVING, { earlierCrashes: 3 })).crashes, 5);
});

t.test('what is no order is refused', async (t) => {
  const saidAt = { bootMs: 1, monotonicMs: 1, wallMs: 1 };
  const deadlines = { fenceAtMs: 1, killAtMs: 2, deadByMs: 3 };
  const order = { kind: 'serve', epoch: 1, deadlines };
  const word = { kind: 'order', number: 1, saidAt, order };
  t.same(parseDaemonWord(word), word);
  const wrong: unknown[] = [
    ...[null, undefined, 1, 'serve', [], {}, { ...word, kind: 'obey' }],
    { ...word, number: -1 },
    { ...word, saidAt: { ...saidAt, wallMs: null } },
    { ...word, order: { ...order, kind: 'burn' } },
    { ...word, order: { ...order, epoch: 1.5 } },
    { ...word, order: { ...order, deadlines: undefined } },
    { ...word, order: { ...order, deadlines: { ...deadlines, killAtMs: null } } },
    { ...word, order: { ...order, deadlines: { ...deadlines, fenceAtMs: 9 } } },
    { kind: 'begin' },
    { kind: 'begin', settings: null },
  ];
  for (const value of wrong) t.throws(() => parseDaemonWord(value), { code: 'DATA_INVALID' });
});
