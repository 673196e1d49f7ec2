/**
 * Reads that are never older than the question (ReadIndex; dissertation §6.4).
 */

import t from 'tap';
import type { CoreOptions } from '../../src/consensus/core/options.ts';
import { CoreGroup } from '../support/core-group.ts';

const ids = ['a', 'b', 'c'];

function ledGroup(members = ids, options: Partial<CoreOptions> = {}): CoreGroup {
  const group = new CoreGroup(members, options);
  group.elect('a');
  return group;
}

t.test('a leader answers with its commit index, once a majority has confirmed it', async (t) => {
  const group = ledGroup();
  group.propose('a', 'x');
  group.settle();
  t.ok(group.of('a').core.readIndex('r'));
  t.same(group.of('a').reads, []);
  group.settle();
  t.same(group.of('a').reads, [['r', 2]]);
});

t.test('without a majority it does not answer', async (t) => {
  const group = ledGroup();
  group.cut.add('b').add('c');
  group.of('a').core.readIndex('r');
  group.settle();
  t.same(group.of('a').reads, []);
  group.cut.delete('b');
  group.tick('a');
  group.settle();
  t.same(group.of('a').reads, [['r', 1]], 'a later round will do');
});

t.test('a round that began before the question confirms nothing', async (t) => {
  const group = ledGroup();
  const { core } = group.of('a');
  group.tick('a');
  group.work('a');
  const answers = () => {
    group.deliver();
    for (const id of ['b', 'c']) group.work(id);
    const heard = group.inFlight.splice(0);
    return heard;
  };
  const late = answers();
  core.readIndex('r');
  group.work('a');
  const own = answers();
  for (const message of late) core.step(message);
  group.work('a');
  t.same(group.of('a').reads, []);
  for (const message of own) core.step(message);
  group.work('a');
  t.same(group.of('a').reads, [['r', 1]]);
});

t.test('a question that is asked again is not answered by what confirmed the first', async (t) => {
  const group = ledGroup();
  const { core } = group.of('a');
  core.readIndex('r');
  group.settle();
  group.cut.add('b').add('c');
  core.readIndex('r');
  group.settle();
  t.same(group.of('a').reads, [['r', 1]], 'the second waits for a round of its own');
});

t.test(
  'before a leader has committed in its term it knows not what is (§6.4, step 1)',
  async (t) => {
    const group = new CoreGroup(ids);
    const { core, reads } = group.of('a');
    core.campaign();
    group.until(() => core.status.role === 'leader');
    core.readIndex('early');
    t.ok(core.status.commit < 1);
    group.settle();
    t.same(reads, [['early', 1]], 'so the question waits for its first commit');
  },
);

t.test('alone in its group it needs nobody, but its first commit', async (t) => {
  const group = new CoreGroup(['a']);
  const { core, reads } = group.of('a');
  core.campaign();
  core.readIndex('too early');
  group.settle();
  core.readIndex('r');
  group.settle();
  t.same(reads, [['r', 1]]);
});

t.test('what a learner confirms counts for nothing', async (t) => {
  const group = new CoreGroup(ids, {}, { learners: ['d', 'e'] });
  group.elect('a');
  group.cut.add('b').add('c');
  group.of('a').core.readIndex('r');
  group.settle();
  group.tick('a');
  group.settle();
  t.same(group.of('a').reads, []);
});

t.test('in a joint configuration a majority of either half confirms', async (t) => {
  const group = new CoreGroup(['a', 'b', 'c'], {}, { outgoing: ['a', 'd', 'e'] });
  for (const id of ['d', 'e']) group.start(id);
  group.elect('a');
  group.cut.add('d').add('e');
  group.of('a').core.readIndex('r');
  group.settle();
  t.same(group.of('a').reads, []);
  group.cut.clear();
  group.pass(1);
  t.same(group.of('a').reads.length, 1);
});

t.test('with the lead the questions are lost, and nobody else is asked', async (t) => {
  const group = ledGroup();
  const { core, reads } = group.of('a');
  group.cut.add('b').add('c');
  core.readIndex('r');
  group.pass(20, ['b', 'c']);
  t.equal(core.status.role, 'follower');
  group.cut.clear();
  group.elect('a');
  t.same(reads, []);
  t.notOk(group.of('b').core.readIndex('r'), 'a follower does not answer');
});

t.test('questions wait in a bounded number', async (t) => {
  const { core } = ledGroup().of('a');
  const asked = Array.from({ length: 5000 }, (_, at) => core.readIndex(`${at}`));
  t.equal(asked.filter((isTaken) => isTaken).length, 4096);
});

t.test('where it is wanted a follower passes the question on', async (t) => {
  const group = ledGroup(ids, { forwardsToLeader: true });
  t.ok(group.of('b').core.readIndex('r'));
  group.settle();
  t.same(group.of('b').reads, [['r', 1]]);
  t.same(group.of('a').reads, []);
});

t.test('reads that rest on the quorum check alone ask nobody (§6.4.1)', async (t) => {
  const group = ledGroup(ids, { readOnly: 'leaseBased' });
  group.of('a').core.readIndex('r');
  group.work('a');
  t.same(group.of('a').reads, [['r', 1]]);
});
