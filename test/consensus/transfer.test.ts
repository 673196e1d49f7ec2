/** Leadership transfer: level first, then at once, and given up when it takes too long (§3.10). */

import t from 'tap';
import { CoreGroup } from '../support/core-group.ts';

const ids = ['a', 'b', 'c'];

t.test(
  'the target leads without waiting, although the others heard a leader just now',
  async (t) => {
    const group = new CoreGroup(ids);
    group.elect('a');
    t.equal(group.of('a').core.transfer('b', 7), 'begun');
    group.settle();
    t.equal(group.leader, 'b');
    t.equal(group.of('b').core.ledByTransfer, true);
    t.equal(group.of('a').core.status.leader, 'b');
  },
);

t.test('requests of a transfer carry the hand-over record they rest on', async (t) => {
  const group = new CoreGroup(ids);
  group.elect('a');
  group.of('a').core.transfer('b', 7);
  group.work('a');
  t.match(
    group.inFlight.filter(({ type }) => type === 'timeoutNow'),
    [{ to: 'b', handover: 7 }],
  );
  group.deliver();
  group.work('b');
  const votes = group.inFlight.filter(({ type }) => type === 'vote');
  t.match(votes, [
    { transfer: true, handover: 7 },
    { transfer: true, handover: 7 },
  ]);
});

t.test('a target that lags is brought level before it is asked', async (t) => {
  const group = new CoreGroup(ids);
  group.elect('a');
  group.cut.add('b');
  group.propose('a', 'x');
  group.settle();
  group.cut.clear();
  group.of('a').core.reportUnreachable('b');
  group.of('a').core.transfer('b');
  t.equal(group.leader, 'a');
  group.tick('a', 1);
  group.settle();
  t.equal(group.leader, 'b');
  t.same(group.commandsOf('b'), ['x']);
});

t.test(
  'nothing is proposed while a transfer is under way, and it ends after a timeout',
  async (t) => {
    const group = new CoreGroup(ids);
    group.elect('a');
    group.cut.add('b');
    group.of('a').core.transfer('b');
    t.match(group.propose('a', 'x'), { kind: 'dropped', reason: 'transferring' });
    for (let i = 0; i < 12; i += 1) {
      group.tick('a', 1);
      group.settle();
    }
    t.match(group.propose('a', 'x'), { kind: 'accepted' });
  },
);

t.test('who cannot lead is refused as a target', async (t) => {
  const group = new CoreGroup(ids);
  group.elect('a');
  t.equal(group.of('b').core.transfer('c'), 'notLeader');
  t.equal(group.of('a').core.transfer('a'), 'alreadyLeader');
  t.equal(group.of('a').core.transfer('z'), 'notVoter');
  t.equal(group.of('a').core.transfer('b'), 'begun');
  t.equal(group.of('a').core.transfer('b'), 'alreadyTransferring');
  t.equal(group.of('a').core.transfer('c'), 'begun', 'another target takes its place');
});
