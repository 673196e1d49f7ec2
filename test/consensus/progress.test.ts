/**
 * How fast a leader sends to a member, and how it finds where their logs agree (Raft §5.3;
 * dissertation §10.2): probing, pipelining in a window, and states to fetch.
 */

import fc from 'fast-check';
import t from 'tap';
import type { AppendMessage, Message } from '../../src/consensus/core/messages.ts';
import { Inflights } from '../../src/consensus/core/tracker/inflights.ts';
import type { MemberProgress } from '../../src/consensus/core/tracker/tracker.ts';
import type { Entry } from '../../src/consensus/core/types.ts';
import { CoreGroup } from '../support/core-group.ts';

const ids = ['a', 'b', 'c'];

function ledGroup(...[options, parts]: [object?, object?]): CoreGroup {
  const group = new CoreGroup(ids, options, parts);
  group.elect('a');
  return group;
}

function progressOf(group: CoreGroup, id: string): MemberProgress {
  const found = group
    .of('a')
    .core.progress()
    .find((member) => member.id === id);
  if (found === undefined) throw new Error(`no progress of ${id}`);
  return found;
}

const isAppend = (message: Message): message is AppendMessage => message.type === 'append';

/** What the leader hands to the network for `to`, nothing of which arrives. */
function sentTo(group: CoreGroup, to: string): AppendMessage[] {
  group.work('a');
  const sent = group.inFlight.filter(isAppend).filter((message) => message.to === to);
  group.inFlight = [];
  return sent;
}

t.test('before the logs are known to agree one message is out at a time', async (t) => {
  const group = ledGroup();
  group.of('a').core.reportUnreachable('b');
  t.match(progressOf(group, 'b'), { state: 'probe', isPaused: false });
  for (const text of ['x', 'y', 'z']) group.propose('a', text);
  t.same(
    sentTo(group, 'b').map(({ entries }) => entries.length),
    [1],
  );
  t.match(progressOf(group, 'b'), { state: 'probe', isPaused: true });
});

t.test('a heartbeat that is answered lets the next probe go', async (t) => {
  const group = ledGroup();
  group.of('a').core.reportUnreachable('b');
  group.propose('a', 'x');
  sentTo(group, 'b');
  group.tick('a');
  group.work('a');
  group.inFlight = group.inFlight.filter(({ to }) => to === 'b');
  group.deliver();
  group.work('b');
  group.deliver();
  t.equal(sentTo(group, 'b').length, 1);
});

t.test('afterwards messages are pipelined without waiting for answers (§10.2.1)', async (t) => {
  const group = ledGroup();
  for (const text of ['x', 'y', 'z']) group.propose('a', text);
  const sent = sentTo(group, 'b');
  t.same(
    sent.map(({ prevIndex }) => prevIndex),
    [1, 2, 3],
  );
  t.match(progressOf(group, 'b'), { state: 'replicate', match: 1, next: 5, inflights: 3 });
});

t.test('no more messages are on their way than the window has places', async (t) => {
  const group = ledGroup({ inflightMessagesMax: 2 });
  for (const text of ['w', 'x', 'y', 'z']) group.propose('a', text);
  t.equal(sentTo(group, 'b').length, 2);
  t.match(progressOf(group, 'b'), { isPaused: true, isWindowFull: true });
});

t.test('nor more bytes than it may hold', async (t) => {
  const group = ledGroup({ inflightBytesMax: 10, appendBytesMax: 10 });
  for (const text of ['123456', '123456', '1']) group.propose('a', text);
  t.equal(sentTo(group, 'b').length, 2, 'the one that fills it is the last');
  t.match(progressOf(group, 'b'), { isWindowFull: true });
});

t.test('while the window is full an empty message still carries the commit index', async (t) => {
  const group = ledGroup({ inflightMessagesMax: 1 });
  group.propose('a', 'x');
  group.propose('a', 'y');
  sentTo(group, 'b');
  group.of('a').core.step({ type: 'heartbeatResponse', from: 'b', to: 'a', term: 1, round: 1 });
  t.match(sentTo(group, 'b'), [{ entries: [], prevIndex: 2 }]);
});

t.test('what fits no message goes in several, and one that is too large goes alone', async (t) => {
  const group = ledGroup({ appendBytesMax: 10 });
  group.of('a').core.propose(
    ['12345', '12345', '12345', '1234567890123', '1'].map((text) => ({
      ...{ kind: 'command', data: Buffer.from(text) },
    })),
  );
  group.cut.add('c');
  group.settle();
  t.equal(group.of('b').core.status.lastIndex, 6);
  t.equal(group.commandsOf('b').length, 5);
});

t.test('the commit index is told at once to who may not know it', async (t) => {
  const group = ledGroup();
  group.propose('a', 'x');
  group.settle();
  for (const id of ids) t.equal(group.of(id).core.status.commit, 2, `${id}, with no heartbeat`);
});

t.test('a heartbeat tells a commit index only as far as the logs agree', async (t) => {
  const group = ledGroup();
  group.cut.add('c');
  group.propose('a', 'x');
  group.settle();
  group.tick('a');
  group.work('a');
  const commits = group.inFlight.flatMap((message) =>
    message.type === 'heartbeat' ? [[message.to, message.commit]] : [],
  );
  t.same(commits, [
    ['b', 2],
    ['c', 1],
  ]);
});

const entry = (term: number, index: number): Entry => ({
  ...{ term, index, kind: 'command', data: Buffer.from(`${term}/${index}`) },
});
const logOf = (terms: readonly number[]): Entry[] => terms.map((term, at) => entry(term, at + 1));

/** Rejections until the follower's log is the leader's. */
function rejections(leader: readonly number[], follower: readonly number[]): number {
  const group = new CoreGroup(['a', 'b', 'c'], { preVote: false, checkQuorum: false });
  const hardState = { term: 20, vote: '', commit: 0 };
  for (const [id, terms] of [
    ['a', leader],
    ['b', follower],
    ['c', leader],
  ] as const) {
    group.of(id).log.store({ hardState, entries: logOf(terms), snapshot: undefined });
    group.restart(id);
  }
  let count = 0;
  group.cut.add('b');
  group.elect('a');
  group.cut.clear();
  group.tick('a');
  for (let round = 0; round < 1000; round += 1) {
    const worked = ids.map((id) => group.work(id)).some((did) => did);
    count += group.inFlight.filter(
      (message) => message.type === 'appendResponse' && message.rejected,
    ).length;
    if (!group.deliver() && !worked) break;
  }
  if (group.of('b').log.lastIndex !== leader.length + 1) throw new Error('the logs differ');
  return count;
}

const times = (term: number, count: number): number[] => Array(count).fill(term);

t.test('over a long divergence the logs are matched a term at a time, not an entry', async (t) => {
  t.equal(rejections([1, ...times(9, 50)], [1]), 1, 'the follower is short');
  t.ok(rejections([1, ...times(9, 50)], [1, ...times(3, 40)]) <= 2, 'its tail is of lower terms');
  t.ok(rejections([...times(3, 60), 9], [...times(3, 5), ...times(7, 50)]) <= 2, 'of higher ones');
  const saw = (from: number) => [1, 1, 2, 2, 3, 3, 4, 4].flatMap((term) => times(from + term, 5));
  t.ok(rejections([...saw(1), 12], [...saw(4)]) <= 6, 'of many');
});

t.test('however the logs differ, they end the same, in one message a term at most', async (t) => {
  const terms = fc
    .array(fc.integer({ min: 2, max: 8 }), { maxLength: 30 })
    .map((list) => [1, ...list.sort((a, b) => a - b)]);
  fc.assert(
    fc.property(terms, terms, (leader, follower) => {
      const own = [...leader, 9];
      const distinct = new Set([...own, ...follower]).size;
      t.ok(rejections(own, follower) <= distinct, `${own} and ${follower}`);
    }),
    { numRuns: 150 },
  );
});

t.test('a late rejection changes nothing', async (t) => {
  const group = ledGroup();
  group.propose('a', 'x');
  group.settle();
  const before = progressOf(group, 'b');
  const late = { rejected: true, index: 1, hintIndex: 0, hintTerm: 0, hasLost: false };
  group.of('a').core.step({ type: 'appendResponse', from: 'b', to: 'a', term: 1, ...late });
  t.same(progressOf(group, 'b'), before);
});

/** The leader's log begins after what `c` has. */
function compacted(options: object = {}): CoreGroup {
  const group = ledGroup(options);
  group.cut.add('c');
  for (let count = 0; count < 5; count += 1) group.propose('a', `${count}`);
  group.settle();
  group.of('a').log.compact(5);
  group.cut.clear();
  group.tick('a');
  return group;
}

t.test(
  'who needs entries that are gone is told to fetch the state, and is sent nothing',
  async (t) => {
    const group = compacted();
    group.until(() => progressOf(group, 'c').state === 'snapshot');
    t.match(progressOf(group, 'c'), { pendingSnapshot: 6, next: 7, isPaused: true });
    group.inFlight = [];
    group.propose('a', 'more');
    t.same(sentTo(group, 'c'), []);
  },
);

t.test('a silent member is told of no state: it could not fetch it', async (t) => {
  const group = compacted();
  group.cut.add('c');
  group.pass(12, ['b', 'c']);
  group.of('a').core.entriesLoaded();
  t.not(progressOf(group, 'c').state, 'snapshot');
});

t.test('a state that was fetched is followed by the log after it', async (t) => {
  const group = compacted();
  group.settle();
  t.match(progressOf(group, 'c'), { state: 'replicate', match: 6 });
  t.equal(group.of('c').core.status.lastIndex, 6);
});

t.test('any answer that reaches the log ends it, whichever state was fetched', async (t) => {
  const group = compacted();
  group.until(() => progressOf(group, 'c').state === 'snapshot');
  const answer = { rejected: false, hintIndex: 0, hintTerm: 0, hasLost: false };
  const accept = (index: number) =>
    group.of('a').core.step({
      ...{ type: 'appendResponse', from: 'c', to: 'a', term: 1, index, ...answer },
    });
  accept(3);
  t.match(progressOf(group, 'c'), { state: 'snapshot', match: 3 }, 'before the log begins');
  accept(4);
  t.match(progressOf(group, 'c'), { state: 'replicate', match: 4 }, 'where it begins');
});

t.test('a state that could not be fetched is tried again after a heartbeat', async (t) => {
  const group = compacted();
  group.until(() => progressOf(group, 'c').state === 'snapshot');
  group.inFlight = [];
  group.of('a').core.reportSnapshot('c', false);
  t.match(progressOf(group, 'c'), { state: 'probe', next: 2, isPaused: true });
  group.pass(2);
  t.match(progressOf(group, 'c'), { state: 'replicate', match: 6 });
});

t.test('who has fetched for long is looked for again, for its word may be lost', async (t) => {
  const group = compacted({ repeatStateTicks: 3 });
  group.until(() => progressOf(group, 'c').state === 'snapshot');
  group.inFlight = [];
  group.pass(20);
  t.match(progressOf(group, 'c'), { state: 'replicate', match: 6 });
});

t.test('one that is said to be fetched is waited for at its index', async (t) => {
  const group = compacted();
  group.until(() => progressOf(group, 'c').state === 'snapshot');
  group.of('a').core.reportSnapshot('c', true);
  t.match(progressOf(group, 'c'), { state: 'probe', next: 7, isPaused: true });
});

t.test('a state below the commit index is refused', async (t) => {
  const group = ledGroup();
  group.propose('a', 'x');
  group.settle();
  const { core } = group.of('b');
  const { membership } = core;
  const snapshot = { index: 1, term: 1, membership };
  core.step({ type: 'snapshot', from: 'a', to: 'b', term: 1, snapshot });
  group.work('b');
  t.match(group.inFlight, [{ type: 'appendResponse', index: 2, rejected: false }]);
  t.match(core.status, { lastIndex: 2, commit: 2 });
});

t.test('one that the own log holds only moves the commit index', async (t) => {
  const group = ledGroup();
  group.cut.add('c');
  group.propose('a', 'x');
  group.work('a');
  group.deliver();
  group.work('b');
  const { core } = group.of('b');
  t.match(core.status, { lastIndex: 2, commit: 1 });
  const snapshot = { index: 2, term: 1, membership: core.membership };
  core.step({ type: 'snapshot', from: 'a', to: 'b', term: 1, snapshot });
  t.equal(core.ready()?.append?.snapshot, undefined);
  t.match(core.status, { lastIndex: 2, commit: 2, firstIndex: 1 });
});

t.test('one that knows less of the configuration than this member does changes none', async (t) => {
  const group = ledGroup();
  group.start('d');
  const add = {
    changes: [{ kind: 'addVoter', id: 'd' }],
    transition: 'auto',
    context: '',
  } as const;
  group.of('a').core.proposeConfig(add);
  group.settle();
  const { core } = group.of('b');
  const { membership } = core;
  const old = { ...membership, voters: ids };
  const snapshot = { index: 9, term: 1, membership: old, membershipIndex: 0 };
  core.step({ type: 'snapshot', from: 'a', to: 'b', term: 1, snapshot });
  t.same(core.membership, membership);
  t.match(core.ready()?.append?.snapshot, { index: 9, membership, membershipIndex: 2 });
});

t.test('one of a group that this member is not in is for another', async (t) => {
  const group = ledGroup();
  const { core } = group.of('b');
  const snapshot = { index: 9, term: 1, membership: { ...core.membership, voters: ['a', 'c'] } };
  core.step({ type: 'snapshot', from: 'a', to: 'b', term: 1, snapshot });
  t.equal(core.status.lastIndex, 1);
});

t.test('the window forgets what was acknowledged, whatever its size', async (t) => {
  const step = fc.record({ bytes: fc.nat(9), free: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const [messagesMax, bytesMax] = [5, 20];
      const window = new Inflights(messagesMax, bytesMax);
      let held: { last: number; bytes: number }[] = [];
      for (const [at, { bytes, free }] of steps.entries()) {
        const total = held.reduce((sum, message) => sum + message.bytes, 0);
        t.equal(window.isFull, held.length === messagesMax || total >= bytesMax);
        if (!window.isFull) {
          window.add(at, bytes);
          held.push({ last: at, bytes });
        }
        const through = held[free - 1]?.last ?? -1;
        window.freeThrough(through);
        held = held.filter(({ last }) => last > through);
        t.equal(window.count, held.length);
      }
    }),
  );
});
