/**
 * Replication: logs match, only what a majority stored is committed, and only by
 * an entry of the own term (Raft §5.3, §5.4.2).
 */

import fc from 'fast-check';
import t from 'tap';
import type { AppendMessage } from '../../src/consensus/core/messages.ts';
import type { Entry } from '../../src/consensus/core/types.ts';
import { CoreGroup } from '../support/core-group.ts';

const ids = ['a', 'b', 'c'];

const entry = (term: number, index: number): Entry => ({
  term,
  index,
  kind: 'command',
  data: Buffer.from(`${term}/${index}`),
});

/** Entries whose terms are given, from index 1. */
const logOf = (...terms: readonly number[]): Entry[] =>
  terms.map((term, at) => entry(term, at + 1));

function seed(group: CoreGroup, id: string, entries: readonly Entry[], term = 0): void {
  group
    .of(id)
    .log.store({ hardState: { term, vote: '', commit: 0 }, entries, snapshot: undefined });
  group.restart(id);
}

t.test('a proposal reaches every member, in order', async (t) => {
  const group = new CoreGroup(ids);
  group.elect('a');
  for (const text of ['one', 'two', 'three']) group.propose('a', text);
  group.settle();
  for (const id of ids) t.same(group.commandsOf(id), ['one', 'two', 'three']);
});

t.test(
  'the leader commits with a majority, also when its own write is the missing one',
  async (t) => {
    const group = new CoreGroup(ids);
    group.elect('a');
    const { core } = group.of('a');
    group.propose('a', 'x');
    const held = core.ready();
    group.inFlight.push(...(held?.messages ?? []));
    for (let round = 0; round < 5; round += 1) {
      group.work('b');
      group.work('c');
      group.deliver();
    }
    t.equal(core.status.commit, 2, 'b and c have it');
    t.equal(
      core.ready()?.apply,
      undefined,
      'and it is not applied before the own write is durable',
    );
  },
);

t.test('a leader does not count itself before its write is durable', async (t) => {
  const group = new CoreGroup(ids);
  group.elect('a');
  group.cut.add('c');
  const { core } = group.of('a');
  group.propose('a', 'x');
  const held = core.ready();
  group.inFlight.push(...(held?.messages ?? []));
  for (let round = 0; round < 5; round += 1) {
    group.work('b');
    group.deliver();
  }
  t.equal(core.status.commit, 1);
  if (held?.append === undefined) throw new Error('the leader has nothing to store');
  group.of('a').log.store(held.append);
  core.appended(held.append);
  t.equal(core.status.commit, 2);
});

t.test('an acknowledgement does not leave before the entries are stored', async (t) => {
  const group = new CoreGroup(ids);
  group.elect('a');
  group.propose('a', 'x');
  group.work('a');
  group.deliver();
  const { core } = group.of('b');
  const ready = core.ready();
  t.same(ready?.messages, []);
  t.equal(ready?.append?.entries.length, 1);
  t.match(ready?.append && core.appended(ready.append), [{ type: 'appendResponse', index: 2 }]);
});

t.test('an answer for a replaced write proves nothing about what replaced it', async (t) => {
  const group = new CoreGroup(['a', 'b', 'c', 'd', 'e']);
  const { core } = group.of('a');
  const append = (term: number, from: string, entries: Entry[]): AppendMessage => {
    const place = { prevIndex: 0, prevTerm: 0, commit: 0 };
    return { type: 'append', from, to: 'a', term, ...place, entries };
  };
  core.step(append(1, 'b', logOf(1)));
  const first = core.ready()?.append;
  core.step(append(2, 'c', logOf(2)));
  const second = core.ready()?.append;
  core.step({ ...append(3, 'b', logOf(1)) });
  const third = core.ready()?.append;
  t.ok(first && second && third);
  if (!first || !second || !third) return;
  t.match(core.appended(first), [{ to: 'b', term: 1 }]);
  group.of('a').log.store(second);
  core.appended(second);
  group.of('a').log.store(third);
  core.appended(third);
  t.equal(core.termAt(1), 1);
  t.equal(core.status.lastIndex, 1);
});

t.test("followers with any of the logs of figure 7 end with the leader's", async (t) => {
  const leader = logOf(1, 1, 1, 4, 4, 5, 5, 6, 6, 6);
  const followers = {
    a: logOf(1, 1, 1, 4, 4, 5, 5, 6, 6),
    b: logOf(1, 1, 1, 4),
    c: logOf(1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6),
    d: logOf(1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7),
    e: logOf(1, 1, 1, 4, 4, 4, 4),
    f: logOf(1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3),
  };
  for (const [name, log] of Object.entries(followers)) {
    const group = new CoreGroup(['l', 'f', 'v'], { preVote: false });
    seed(group, 'l', leader, 7);
    seed(group, 'f', log, log.at(-1)?.term);
    // The third gives its vote: the follower may know a newer term and refuse.
    for (let attempt = 0; attempt < 3 && group.leader !== 'l'; attempt += 1) group.elect('l');
    group.tick('l', 1);
    group.settle();
    const terms = (id: string) =>
      group
        .of(id)
        .log.entries(1, group.of(id).log.lastIndex + 1, 1 << 20)
        .map(({ term }) => term);
    t.same(terms('f'), terms('l'), name);
    t.same(terms('f').slice(0, 10), [1, 1, 1, 4, 4, 5, 5, 6, 6, 6], name);
  }
});

t.test('an entry of an earlier term is not committed by counting (figure 8)', async (t) => {
  const group = new CoreGroup(ids, { preVote: false });
  seed(group, 'a', logOf(1, 2), 2);
  const { core } = group.of('a');
  core.campaign();
  group.work('a');
  core.step({ type: 'voteResponse', from: 'b', to: 'a', term: core.status.term, rejected: false });
  t.equal(core.status.role, 'leader');
  const answer = {
    from: 'b',
    to: 'a',
    term: core.status.term,
    hintIndex: 0,
    hintTerm: 0,
    hasLost: false,
  };
  core.step({ type: 'appendResponse', ...answer, index: 2, rejected: false });
  group.work('a');
  t.equal(core.status.commit, 0, 'entry 2 is on a majority, and not committed');
  core.step({ type: 'appendResponse', ...answer, index: 3, rejected: false });
  t.equal(core.status.commit, 3, 'with the no-op of the own term they all are');
});

t.test('a late append that is shorter than the log removes nothing', async (t) => {
  const group = new CoreGroup(ids);
  group.elect('a');
  group.propose('a', 'x');
  group.work('a');
  const late = group.inFlight.filter((message) => message.to === 'b');
  group.settle();
  group.propose('a', 'y');
  group.settle();
  for (const message of late) group.of('b').core.step(message);
  group.settle();
  t.same(group.commandsOf('b'), ['x', 'y']);
  t.equal(group.of('b').log.lastIndex, 3);
});

t.test('a follower that lost its connection is sent again what was on its way', async (t) => {
  const group = new CoreGroup(ids);
  group.elect('a');
  group.cut.add('b');
  for (let i = 0; i < 200; i += 1) group.propose('a', `${i}`);
  group.settle();
  group.cut.clear();
  group.of('a').core.reportUnreachable('b');
  group.tick('a', 1);
  group.settle();
  t.equal(group.commandsOf('b').length, 200);
});

t.test('more than the limit of uncommitted bytes is refused, and taken again later', async (t) => {
  const group = new CoreGroup(ids, { uncommittedBytesMax: 100 });
  group.elect('a');
  group.cut.add('b').add('c');
  t.match(group.propose('a', 'x'.repeat(90)), { kind: 'accepted' });
  t.match(group.propose('a', 'x'.repeat(20)), { kind: 'dropped', reason: 'overLimit' });
  group.cut.clear();
  group.of('a').core.reportUnreachable('b');
  group.tick('a', 1);
  group.settle();
  t.match(group.propose('a', 'x'.repeat(20)), { kind: 'accepted' });
});

t.test('a follower whose next entry was compacted is named the state to fetch', async (t) => {
  const group = new CoreGroup(ids);
  group.elect('a');
  group.cut.add('b');
  for (let i = 0; i < 10; i += 1) group.propose('a', `${i}`);
  group.settle();
  group.of('a').log.compact(8);
  group.cut.clear();
  group.of('a').core.reportUnreachable('b');
  for (let round = 0; round < 3; round += 1) {
    group.tick('a', 1);
    group.settle();
  }
  t.match(group.of('b').core.status, { commit: 11, firstIndex: 12 });
  group.propose('a', 'after');
  group.settle();
  t.same(group.commandsOf('b'), ['after']);
});

const actions = {
  tick: (group: CoreGroup, who: string) => group.tick(who, 5),
  propose: (group: CoreGroup, who: string) => group.propose(who, `${group.inFlight.length}`),
  settle: (group: CoreGroup) => group.settle(),
  work: (group: CoreGroup, who: string) => group.work(who),
  deliver: (group: CoreGroup) => group.deliver(),
  cut: (group: CoreGroup, who: string) => group.cut.add(who),
  heal: (group: CoreGroup) => group.cut.clear(),
  restart: (group: CoreGroup, who: string) => group.restart(who),
};

/** The longest that each member ever applied, since a restart begins anew. */
function appliedUnder(schedule: readonly (readonly [keyof typeof actions, string])[]): string[][] {
  const group = new CoreGroup(ids);
  const longest = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (const [what, who] of schedule) {
    actions[what](group, who);
    for (const id of ids) {
      const now = group.of(id).applied.map(({ term, index }) => `${term}/${index}`);
      if (now.length > (longest.get(id)?.length ?? 0)) longest.set(id, now);
    }
  }
  return [...longest.values()].sort((x, y) => x.length - y.length);
}

t.test('whatever is lost on the way, applied logs are prefixes of each other', async (t) => {
  const names = Object.keys(actions) as (keyof typeof actions)[];
  const step = fc.tuple(fc.constantFrom(...names), fc.constantFrom(...ids));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (schedule) => {
      const [short = [], middle = [], long = []] = appliedUnder(schedule);
      const isPrefix = (a: string[], b: string[]) => a.every((id, at) => b[at] === id);
      return isPrefix(short, middle) && isPrefix(middle, long);
    }),
    { numRuns: 300 },
  );
  t.pass('300 random schedules');
});
