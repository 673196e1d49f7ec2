/** When a service is probed, and when it is probed anew. */

import t from 'tap';
import type { GuardianPort } from '../../src/daemon/primary-control.ts';
import { type ProbesPort, Probing } from '../../src/daemon/probing.ts';
import { type Life, SECONDARY } from '../../src/service/decide/life.ts';
import type { GuardianFacts } from '../../src/service/decide/situation.ts';
import { ALL_HELD, NOTHING_HELD, TERM } from '../service/situations.ts';

const SERVING: Life = {
  phase: 'serving',
  term: TERM,
  sinceMs: 0,
  upAtMs: undefined,
  crashesSeen: 0,
  restartsAtMs: [],
};
const DEADLINES = { fenceAtMs: 1, killAtMs: 2, deadByMs: 3 };

/** Probing between probes that write down what they are told and a guardian without a mind. */
function rig() {
  const asked: string[] = [];
  const probes: ProbesPort = {
    verdict: 'unknown',
    start: () => asked.push('start'),
    stop: () => asked.push('stop'),
    reset: () => asked.push('reset'),
  };
  let facts: GuardianFacts | undefined = NOTHING_HELD;
  const note = (order: string) => () => asked.push(order);
  const guardian: GuardianPort = {
    facts: (epoch) => (epoch === TERM ? facts : undefined),
    serve: note('serve'),
    restart: note('restart'),
    stop: note('end'),
    fence: note('fence'),
  };
  const probing = new Probing(probes, guardian);
  return {
    probing,
    asked,
    see: (seen: GuardianFacts | undefined, life: Life = SERVING) => {
      facts = seen;
      probing.look(life);
    },
  };
}

t.test('probes run while a tenure is open', async (t) => {
  const { probing, asked } = rig();
  probing.moved(SERVING);
  probing.moved(SECONDARY);
  t.same(asked, ['start', 'stop']);
});

t.test('the service is asked anew once it runs where it can be reached', async (t) => {
  const { asked, see } = rig();
  see(NOTHING_HELD);
  see({ ...ALL_HELD, areAddressesHeld: false });
  see({ ...ALL_HELD, service: 'starting' });
  t.same(asked, [], 'not while nobody could hear');
  see(ALL_HELD);
  see(ALL_HELD);
  t.same(asked, ['reset'], 'once');
  see({ ...ALL_HELD, service: 'starting' });
  see(ALL_HELD);
  t.same(asked, ['reset', 'reset'], 'and again after it was away');
});

t.test('what runs in no open tenure is not asked', async (t) => {
  const { asked, see } = rig();
  see(ALL_HELD, SECONDARY);
  see(ALL_HELD, { phase: 'fencing', term: TERM, sinceMs: 0, cause: 'stray' });
  see(undefined);
  t.same(asked, []);
});

t.test('an order to start anew forgets what was found before, then is passed on', async (t) => {
  const { probing, asked } = rig();
  probing.guardian.restart(TERM, DEADLINES);
  probing.guardian.serve(TERM, DEADLINES);
  t.same(asked, ['reset', 'restart', 'serve']);
});
