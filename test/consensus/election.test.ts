/**
 * Elections: one leader a term, by a majority whose logs it matches (Raft §5.2,
 * §5.4.1), rehearsed before any term is raised (dissertation §9.6).
 */

import t from 'tap';
import type { VoteRequest } from '../../src/consensus/core/messages.ts';
import { CoreGroup } from '../support/core-group.ts';

const ids = ['a', 'b', 'c'];

function request(overrides: Partial<VoteRequest>): VoteRequest {
  return {
    type: 'vote',
    from: 'b',
    to: 'a',
    term: 1,
    lastIndex: 0,
    lastTerm: 0,
    transfer: false,
    handover: 0,
    ...overrides,
  };
}

t.test('a follower whose timeout ran out is elected and opens its term with a no-op', async (t) => {
  const group = new CoreGroup(ids);
  group.tick('b', 10);
  group.settle();
  t.equal(group.leader, 'b');
  t.match(group.of('b').core.status, { role: 'leader', term: 1, commit: 1 });
  t.match(group.of('a').core.status, { role: 'follower', leader: 'b', term: 1 });
  t.same(
    group.of('c').applied.map(({ kind, term }) => ({ kind, term })),
    [{ kind: 'noop', term: 1 }],
  );
});

t.test(
  'a candidate without a majority does not lead, and raises no term by rehearsing',
  async (t) => {
    const group = new CoreGroup(ids);
    group.cut.add('b').add('c');
    for (let attempt = 0; attempt < 5; attempt += 1) {
      group.tick('a', 10);
      group.settle();
    }
    t.match(group.of('a').core.status, { role: 'preCandidate', term: 0 });
  },
);

t.test(
  'a member votes once in a term, and repeats its vote only for the same candidate',
  async (t) => {
    const group = new CoreGroup(ids, { preVote: false });
    const { core } = group.of('a');
    const answers = () => {
      group.work('a');
      const votes = group.inFlight.flatMap((message) =>
        message.type === 'voteResponse' ? [[message.to, message.rejected]] : [],
      );
      group.inFlight = [];
      return votes;
    };
    core.step(request({ from: 'b' }));
    t.same(answers(), [['b', false]]);
    core.step(request({ from: 'c' }));
    t.same(answers(), [['c', true]]);
    core.step(request({ from: 'b' }));
    t.same(answers(), [['b', false]]);
  },
);

t.test('a vote survives a restart', async (t) => {
  const group = new CoreGroup(ids, { preVote: false });
  group.of('a').core.step(request({ from: 'b' }));
  group.work('a');
  group.restart('a');
  group.of('a').core.step(request({ from: 'c' }));
  group.work('a');
  t.match(group.inFlight, [{ type: 'voteResponse', to: 'c', rejected: true }]);
});

t.test('a vote does not leave before it is stored', async (t) => {
  const group = new CoreGroup(ids, { preVote: false });
  const { core } = group.of('a');
  core.step(request({ from: 'b' }));
  const ready = core.ready();
  t.same(ready?.messages, []);
  t.match(ready?.append, { hardState: { term: 1, vote: 'b' }, mustSync: true });
  t.match(ready?.append && core.appended(ready.append), [{ type: 'voteResponse', to: 'b' }]);
});

t.test('votes go by the term of the last entry first, then by its index', async (t) => {
  const cases = [
    { lastTerm: 1, lastIndex: 99, rejected: true, name: 'longer log of an older term' },
    { lastTerm: 2, lastIndex: 1, rejected: true, name: 'shorter log of the same term' },
    { lastTerm: 2, lastIndex: 2, rejected: false, name: 'equal log' },
    { lastTerm: 3, lastIndex: 1, rejected: false, name: 'shorter log of a newer term' },
  ];
  for (const { lastTerm, lastIndex, rejected, name } of cases) {
    const group = new CoreGroup(ids, { preVote: false });
    const data = Buffer.from('x');
    group.of('a').log.store({
      hardState: { term: 2, vote: '', commit: 0 },
      entries: [
        { term: 1, index: 1, kind: 'command', data },
        { term: 2, index: 2, kind: 'command', data },
      ],
      snapshot: undefined,
    });
    group.restart('a');
    group.of('a').core.step(request({ term: 5, lastTerm, lastIndex }));
    group.work('a');
    t.match(group.inFlight, [{ type: 'voteResponse', rejected }], name);
  }
});

t.test('no vote, and no rehearsal, is granted while a leader is heard', async (t) => {
  const group = new CoreGroup(ids);
  group.elect('a');
  for (const type of ['vote', 'preVote'] as const) {
    group
      .of('b')
      .core.step(request({ type, from: 'c', to: 'b', term: 9, lastTerm: 9, lastIndex: 9 }));
    group.work('b');
    t.same(group.inFlight, [], type);
    t.equal(group.of('b').core.status.term, 1);
  }
});

t.test('a leader that hears no majority for an election timeout steps down', async (t) => {
  const group = new CoreGroup(ids);
  group.elect('a');
  group.cut.add('a');
  group.tick('a', 20);
  t.match(group.of('a').core.status, { role: 'follower', leader: '', term: 1 });
});

t.test('one that was cut off disturbs nobody when it returns', async (t) => {
  const group = new CoreGroup(ids);
  group.elect('a');
  group.cut.add('c');
  group.tick('c', 100);
  group.settle();
  group.cut.clear();
  group.tick('a', 1);
  group.settle();
  t.equal(group.leader, 'a');
  t.match(group.of('c').core.status, { role: 'follower', leader: 'a', term: 1 });
});

t.test('a candidate repeats its requests for voters that were silent at first', async (t) => {
  const group = new CoreGroup(ids, { repeatRequestTicks: 2 });
  group.cut.add('b').add('c');
  group.tick('a', 10);
  group.settle();
  group.cut.clear();
  group.tick('a', 2);
  group.settle();
  t.equal(group.leader, 'a');
});

t.test(
  'while it must not campaign a member lets its timeout pass, and stands afterwards',
  async (t) => {
    const group = new CoreGroup(ids);
    for (let i = 0; i < 50; i += 1) group.of('a').core.tick(false);
    group.settle();
    t.equal(group.of('a').core.status.role, 'follower');
    group.tick('a', 1);
    group.settle();
    t.equal(group.leader, 'a');
  },
);

t.test('who forgets its leader votes at once, and follows it again when it is heard', async (t) => {
  const group = new CoreGroup(ids);
  group.elect('a');
  const { core } = group.of('b');
  core.forgetLeader();
  t.match(core.status, { role: 'follower', leader: '', term: 1 });
  core.step(request({ from: 'c', to: 'b', term: 2, lastTerm: 1, lastIndex: 1 }));
  group.work('b');
  t.match(group.inFlight, [{ type: 'voteResponse', to: 'c', rejected: false }]);
  const other = group.of('c').core;
  other.forgetLeader();
  other.step({ type: 'heartbeat', from: 'a', to: 'c', term: 1, commit: 1, round: 9 });
  t.equal(other.status.leader, 'a');
});

t.test('no leader is forgotten where reads rest on it, nor by itself', async (t) => {
  const group = new CoreGroup(ids, { readOnly: 'leaseBased' });
  group.elect('a');
  for (const id of ids) {
    group.of(id).core.forgetLeader();
    t.equal(group.of(id).core.status.leader, 'a', id);
  }
});

t.test('who has priority draws shorter timeouts, and no veto', async (t) => {
  const drawn: number[] = [];
  const random = (below: number) => {
    drawn.push(below);
    return below - 1;
  };
  const group = new CoreGroup(ids, { random, electionTicks: 10, electionJitterTicks: 10 });
  group.of('b').core.setElectionJitter(0, 3);
  group.of('c').core.setElectionJitter(5, 10);
  group.elect('a');
  t.same(drawn.slice(-3).sort(), [10, 3, 5].sort(), 'each from its own part of the range');
  group.cut.add('a');
  group.pass(12, ['a']);
  t.equal(group.leader, 'b', 'after 10 + 2 ticks, when c still has some to wait');
  t.throws(() => group.of('b').core.setElectionJitter(3, 3), { code: 'INVARIANT' });
});

t.test('an answer of one who is no member counts for nothing, whatever its term', async (t) => {
  const { core } = new CoreGroup(ids).of('a');
  const answer = { type: 'heartbeatResponse', from: 'x', to: 'a', term: 7, round: 1 } as const;
  t.equal(core.step(answer), 'unknownMember');
  t.equal(core.status.term, 0);
});

t.test('nobody leads before its own vote is durable, whoever else voted for it', async (t) => {
  const { core } = new CoreGroup(ids, { preVote: false }).of('a');
  core.campaign();
  const work = core.ready()?.append;
  for (const from of ['b', 'c']) {
    core.step({ type: 'voteResponse', from, to: 'a', term: 1, rejected: false });
  }
  t.equal(core.status.role, 'candidate', 'a crash now would let it stand for term 1 again');
  if (work === undefined) throw new Error('its vote is not stored');
  core.appended(work);
  t.match(core.status, { role: 'leader', term: 1 });
});
