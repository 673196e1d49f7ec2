/**
 * A group with a witness: what commits, what the witness knows, and who may lead
 * (safety rule 23). a and b hold the data, w is the witness.
 */

import t from 'tap';
import { copySetIn } from '../../src/consensus/core/copies/decree.ts';
import type { AppendMessage } from '../../src/consensus/core/messages.ts';
import type { CoreOptions } from '../../src/consensus/core/options.ts';
import { CoreGroup } from '../support/core-group.ts';

/** An election timeout and a heartbeat, and one tick in which the leader looks. */
const SILENCE_TICKS = 12;

function pair(overrides: Partial<CoreOptions> = {}): CoreGroup {
  return new CoreGroup(['a', 'b', 'w'], overrides, { witness: 'w', copySet: ['a', 'b'] });
}

/** a leads, and everything is level. */
function led(overrides: Partial<CoreOptions> = {}): CoreGroup {
  const group = pair(overrides);
  group.elect('a');
  group.pass(3);
  return group;
}

/** b was taken out: a and w go on. */
function without(group: CoreGroup, id: string): CoreGroup {
  group.cut.add(id);
  group.pass(SILENCE_TICKS, [id]);
  return group;
}

const lastOf = (group: CoreGroup, id: string) => group.of(id).log.lastIndex;
const commitOf = (group: CoreGroup, id: string) => group.of(id).core.status.commit;
const appendsTo = (group: CoreGroup, id: string): AppendMessage[] =>
  group.inFlight.flatMap((message) =>
    message.type === 'append' && message.to === id && message.entries.length > 0 ? [message] : [],
  );

t.test('the witness keeps term, index and kind of every entry, and no data', async (t) => {
  const group = led();
  group.propose('a', 'a letter');
  for (let round = 0; round < 10; round += 1) {
    for (const id of ['a', 'b', 'w']) group.work(id);
    for (const { entries } of appendsTo(group, 'w')) {
      t.ok(entries.every(({ data }) => data.length === 0));
    }
    group.deliver();
  }
  const { log } = group.of('w');
  t.equal(log.lastIndex, lastOf(group, 'a'));
  const [entry] = log.entries(log.lastIndex, log.lastIndex + 1, 100);
  t.match(entry, { kind: 'command', term: 1 });
  t.equal(entry?.data.length, 0);
});

t.test('an entry goes to the witness when all of the set hold it, and not before', async (t) => {
  const group = led();
  const before = lastOf(group, 'w');
  group.propose('a', 'one');
  group.work('a');
  t.same(appendsTo(group, 'w'), []);
  t.equal(appendsTo(group, 'b').length, 1);
  group.cut.add('b');
  group.settle();
  t.equal(lastOf(group, 'w'), before, 'b lacks it, so the witness does not know of it');
  t.equal(commitOf(group, 'a'), before, 'and it is not committed');
});

t.test('nor before the leader itself holds it durably', async (t) => {
  const group = led();
  const before = lastOf(group, 'w');
  const { core, log } = group.of('a');
  group.propose('a', 'one');
  const ready = core.ready();
  group.inFlight.push(...(ready?.messages ?? []));
  group.deliver();
  group.work('b');
  group.deliver();
  const more = core.ready();
  group.inFlight.push(...(more?.messages ?? []));
  t.same(appendsTo(group, 'w'), [], 'b holds it, the leader does not yet');
  t.equal(commitOf(group, 'a'), before);
  if (ready?.append === undefined) throw new Error('nothing is to be stored');
  log.store(ready.append);
  core.appended(ready.append);
  group.settle();
  t.equal(lastOf(group, 'w'), before + 1);
  t.equal(commitOf(group, 'a'), before + 1);
});

t.test('a majority of voters is not enough without all of the set', async (t) => {
  const ids = ['a', 'b', 'c', 'd', 'w'];
  const group = new CoreGroup(ids, {}, { witness: 'w', copySet: ['a', 'b', 'c', 'd'] });
  group.elect('a');
  group.pass(3);
  const before = commitOf(group, 'a');
  group.cut.add('d');
  group.propose('a', 'on a, b and c');
  group.settle();
  t.equal(commitOf(group, 'a'), before, 'd is of the set and lacks it');
  t.equal(lastOf(group, 'w'), before, 'and the witness does not make up for it');
  group.pass(SILENCE_TICKS, ['d']);
  t.strictSame(group.of('a').core.copySet, ['a', 'b', 'c']);
  group.cut.add('c');
  group.propose('a', 'on a and b');
  group.pass(SILENCE_TICKS, ['c', 'd']);
  t.strictSame(group.of('a').core.copySet, ['a', 'b']);
  const both = ['on a, b and c', 'on a and b'];
  t.strictSame(group.commandsOf('a'), both, 'now the witness makes the majority');
});

t.test('S1: a blink of the secondary costs nobody the failover', async (t) => {
  const group = led();
  group.cut.add('b');
  for (let value = 0; value < 6; value += 1) group.propose('a', `value ${value}`);
  group.pass(3, ['b']);
  group.cut.delete('b');
  group.cut.add('a');
  group.pass(30, ['a']);
  t.equal(group.leader, 'b');
  group.propose('b', 'served by b');
  group.pass(2, ['a']);
  t.strictSame(group.of('b').core.copySet, ['b']);
  t.strictSame(group.commandsOf('b'), ['served by b']);
});

t.test('a secondary that is silent is left out, and commits go on with the witness', async (t) => {
  const group = led();
  group.cut.add('b');
  group.propose('a', 'waits');
  group.pass(SILENCE_TICKS - 2, ['b']);
  t.strictSame(group.commandsOf('a'), [], 'not before its time');
  group.pass(2, ['b']);
  t.strictSame(group.of('a').core.copySet, ['a']);
  t.strictSame(group.commandsOf('a'), ['waits']);
  t.strictSame(group.of('a').core.membership.copySet, ['a'], 'and the decree is committed');
});

t.test('S1: what the witness first gets by the smaller set comes with its decree', async (t) => {
  const group = led();
  const known = lastOf(group, 'w');
  group.cut.add('b');
  group.propose('a', 'waits');
  const seen: number[] = [];
  for (let tick = 0; tick < SILENCE_TICKS; tick += 1) {
    for (const id of ['a', 'w']) group.tick(id);
    for (let work = true; work; ) {
      work = ['a', 'w'].map((id) => group.work(id)).some((did) => did);
      for (const { entries } of appendsTo(group, 'w')) {
        for (const entry of entries) {
          if (entry.index <= known) continue;
          seen.push(entry.index);
          const { log } = group.of('a');
          const decree = log.entries(known + 1, log.lastIndex + 1, 1e6).find(copySetIn);
          t.ok(
            decree !== undefined && log.lastIndex >= decree.index,
            'the leader holds it durably',
          );
        }
      }
      if (group.deliver()) work = true;
    }
  }
  t.ok(seen.length > 0);
});

t.test('a secondary that answers and stores nothing is left out as well', async (t) => {
  const group = led();
  const { core } = group.of('b');
  group.propose('a', 'its disk hangs');
  for (let tick = 0; tick < SILENCE_TICKS + 1; tick += 1) {
    for (const id of ['a', 'b', 'w']) group.tick(id);
    for (let round = 0; round < 10; round += 1) {
      for (const id of ['a', 'w']) group.work(id);
      // What needs no storage leaves at once; nothing is ever stored.
      group.inFlight.push(...(core.ready()?.messages ?? []));
      group.deliver();
    }
  }
  t.strictSame(group.commandsOf('a'), ['its disk hangs']);
  t.strictSame(group.of('a').core.copySet, ['a']);
});

t.test('nobody is left out while the witness does not answer', async (t) => {
  const group = led({ checkQuorum: false });
  for (const id of ['b', 'w']) group.cut.add(id);
  group.pass(3 * SILENCE_TICKS, ['b', 'w']);
  t.strictSame(group.of('a').core.copySet, ['a', 'b']);
});

t.test('nor by a leader that is about to stop', async (t) => {
  const group = led();
  group.of('a').core.setShrinksCopies(false);
  without(group, 'b');
  t.strictSame(group.of('a').core.copySet, ['a', 'b']);
  group.of('a').core.setShrinksCopies(true);
  group.pass(1, ['b']);
  t.strictSame(group.of('a').core.copySet, ['a']);
});

t.test('a candidate outside the set is refused by the ordinary comparison of logs', async (t) => {
  const group = without(led(), 'b');
  group.propose('a', 'on a alone');
  group.settle();
  t.strictSame(group.commandsOf('a'), ['on a alone']);
  group.cut.clear();
  group.cut.add('a');
  group.pass(60, ['a']);
  t.equal(
    group.of('b').core.status.role === 'leader',
    false,
    'b is stale and never wins by itself',
  );
  group.cut.clear();
  group.pass(40);
  t.equal(group.leader, 'a', 'the one that has everything leads again');
  t.strictSame(group.commandsOf('b'), ['on a alone']);
});

t.test(
  'S2: a secondary that is back far behind holds nothing up, and is taken in level',
  async (t) => {
    const group = without(led({ appendBytesMax: 20, inflightMessagesMax: 1 }), 'b');
    for (let value = 0; value < 200; value += 1) group.propose('a', `value ${value}`);
    group.settle();
    t.equal(group.commandsOf('a').length, 200);
    group.cut.clear();
    // One message a tick reaches b: it catches up slowly, under load.
    for (let tick = 0; tick < 30; tick += 1) {
      group.propose('a', `more ${tick}`);
      for (const id of ['a', 'b', 'w']) group.tick(id);
      for (let round = 0; round < 4; round += 1) {
        for (const id of ['a', 'b', 'w']) group.work(id);
        group.deliver();
      }
      t.strictSame(group.of('a').core.copySet, ['a']);
      t.ok(lastOf(group, 'a') - commitOf(group, 'a') < 4, 'commits go on');
    }
    group.settle();
    group.pass(3);
    t.strictSame(group.of('a').core.copySet, ['a', 'b']);
    group.settle();
    t.strictSame(group.of('a').core.membership.copySet, ['a', 'b']);
    t.equal(group.commandsOf('b').length, 230);
  },
);

t.test('S2: not while it lacks data below its log', async (t) => {
  let isWhole = false;
  const group = without(led({ hasAllData: (id) => id !== 'b' || isWhole }), 'b');
  group.cut.clear();
  group.pass(5);
  t.strictSame(group.of('a').core.copySet, ['a']);
  isWhole = true;
  group.pass(2);
  t.strictSame(group.of('a').core.copySet, ['a', 'b']);
});

t.test('from the decree on that takes it back an entry needs both again', async (t) => {
  const group = without(led(), 'b');
  group.cut.clear();
  group.pass(3);
  t.strictSame(group.of('a').core.membership.copySet, ['a', 'b']);
  const before = commitOf(group, 'a');
  group.cut.add('b');
  group.propose('a', 'one');
  group.settle();
  t.equal(commitOf(group, 'a'), before);
  t.equal(lastOf(group, 'w'), before);
});

t.test(
  'S3: entries of the smaller set that never committed block only who lacks them',
  async (t) => {
    const group = led();
    group.cut.add('b');
    while (group.of('a').core.copySet.length > 1) {
      group.settle();
      group.tick('a');
      group.tick('w');
    }
    // a stores the decree, and dies before anybody hears of it.
    while (group.work('a'));
    group.inFlight = [];
    t.ok(lastOf(group, 'a') > lastOf(group, 'b'));
    t.equal(lastOf(group, 'w'), lastOf(group, 'b'));
    group.cut.clear();
    group.cut.add('a');
    group.pass(40, ['a']);
    t.equal(group.of('b').core.status.role, 'leader');
  },
);

t.test('S4: one elected outside of its set puts itself in, before anything commits', async (t) => {
  const group = without(led(), 'b');
  group.propose('a', 'one');
  group.settle();
  group.cut.clear();
  // b has everything, and is not taken back yet.
  group.tick('a');
  group.settle();
  t.equal(lastOf(group, 'b'), lastOf(group, 'a'));
  t.strictSame(group.of('a').core.copySet, ['a']);
  group.cut.add('a');
  group.pass(20, ['a']);
  t.equal(group.leader, 'b');
  group.propose('b', 'two');
  group.pass(4, ['a']);
  t.strictSame(group.of('b').core.copySet, ['b']);
  t.strictSame(group.commandsOf('b'), ['one', 'two']);
});

t.test('a successor need not wait anew for the silence that elected it', async (t) => {
  const group = led();
  group.propose('a', 'one');
  group.settle();
  group.cut.add('a');
  let ticks = 0;
  while (group.of('b').core.status.role !== 'leader' && ticks < 50) {
    group.pass(1, ['a']);
    ticks += 1;
  }
  group.propose('b', 'two');
  group.pass(2, ['a']);
  t.strictSame(group.commandsOf('b'), ['one', 'two'], `elected after ${ticks} ticks`);
});

t.test('the witness never stands, whatever it is told', async (t) => {
  const group = led();
  for (const id of ['a', 'b']) group.cut.add(id);
  group.pass(60, ['a', 'b']);
  t.equal(group.of('w').core.status.role, 'follower');
  group.of('w').core.campaign();
  const { term } = group.of('w').core.status;
  group.of('w').core.step({ type: 'timeoutNow', from: 'a', to: 'w', term, handover: 0 });
  group.work('w');
  t.equal(group.of('w').core.status.role, 'follower');
  t.equal(group.of('w').core.status.term, term);
});

t.test('the lead is not given to the witness', async (t) => {
  const group = led();
  t.equal(group.of('a').core.transfer('w'), 'notVoter');
});

t.test('a transfer leaves nobody out', async (t) => {
  const group = led();
  group.of('a').core.transfer('b');
  group.cut.add('b');
  group.pass(9, ['b']);
  t.strictSame(group.of('a').core.copySet, ['a', 'b']);
});

t.test('a witness that was away takes the mark of what is committed', async (t) => {
  const group = led();
  group.cut.add('w');
  for (let value = 0; value < 50; value += 1) group.propose('a', `value ${value}`);
  group.settle();
  t.equal(group.commandsOf('a').length, 50, 'it was not needed');
  group.of('a').log.compact(40);
  group.cut.clear();
  group.pass(4);
  t.equal(lastOf(group, 'w'), lastOf(group, 'a'));
  t.ok(group.of('w').log.firstIndex > 40);
  const after = without(group, 'b');
  after.propose('a', 'with the witness');
  after.settle();
  t.equal(after.commandsOf('a').at(-1), 'with the witness');
});

t.test('after a restart the decrees of the log are in force again, committed or not', async (t) => {
  const group = led();
  group.cut.add('b');
  while (group.of('a').core.copySet.length > 1) {
    group.settle();
    group.tick('a');
    group.tick('w');
  }
  while (group.work('a'));
  group.restart('a');
  t.strictSame(group.of('a').core.membership.copySet, ['a', 'b'], 'not committed');
  t.strictSame(group.of('a').core.copySet, ['a']);
});

t.test('in a group without a witness there is no set, and no decree', async (t) => {
  const group = new CoreGroup(['a', 'b', 'c']);
  group.elect('a');
  group.cut.add('b');
  const before = lastOf(group, 'a');
  group.pass(30, ['b']);
  t.strictSame(group.of('a').core.copySet, []);
  t.equal(lastOf(group, 'a'), before);
});
