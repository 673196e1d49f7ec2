/**
 * Members are told apart by the storage behind their names (safety rule 24): the rule
 * itself, and hosts that keep it.
 */

import t from 'tap';
import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import type { Message } from '../../src/consensus/core/messages.ts';
import type { Membership } from '../../src/consensus/core/types.ts';
import { Incarnations } from '../../src/consensus/host/incarnations.ts';
import type { PeerMessage } from '../../src/consensus/host/ports.ts';
import { LoneHost } from '../support/lone-host.ts';

const named = (ids: Readonly<Record<string, string>>): Membership =>
  membershipOf({
    voters: Object.keys(ids),
    details: Object.fromEntries(
      Object.entries(ids).map(([id, incarnation]) => [id, { incarnation, info: '' }]),
    ),
  });
const GROUP = named({ a: 'a1', b: 'b1', c: 'c1' });

const envelope = { from: 'b', to: 'a', term: 3 };
const VOTE: Message = { type: 'voteResponse', ...envelope, rejected: false };
const REQUEST: Message = {
  ...{ type: 'vote', ...envelope, lastIndex: 9, lastTerm: 2, transfer: false, handover: 0 },
};
const HEARTBEAT: Message = { type: 'heartbeat', ...envelope, commit: 0, round: 1 };
const peer = (message: Message, from: string, to: string): PeerMessage => ({
  ...{ message, promiseMs: 0, fromIncarnation: from, toIncarnation: to },
});

t.test('what another incarnation says counts for nothing', async (t) => {
  const it = new Incarnations('a1');
  t.equal(it.refusalOf(peer(VOTE, 'b1', 'a1'), GROUP), undefined, 'the one that is named');
  for (const message of [VOTE, REQUEST]) {
    t.match(it.refusalOf(peer(message, 'b2', 'a1'), GROUP), /b speaks as incarnation b2.*names b1/);
    t.match(it.refusalOf(peer(message, '', 'a1'), GROUP), /incarnation none/, 'nor does none');
  }
});

t.test('what is meant for another incarnation is not heeded, a leader or not', async (t) => {
  const it = new Incarnations('a2');
  for (const message of [VOTE, HEARTBEAT]) {
    t.match(it.refusalOf(peer(message, 'b1', 'a1'), GROUP), /means incarnation a1 of a.*is a2/);
  }
});

t.test(
  'a leader that the configuration here does not know yet is followed, and answered',
  async (t) => {
    const it = new Incarnations('a1');
    t.equal(it.refusalOf(peer(HEARTBEAT, 'b2', 'a1'), GROUP), undefined);
    const answer: Message = { type: 'heartbeatResponse', from: 'a', to: 'b', term: 3, round: 1 };
    t.same(it.of(answer, GROUP), { fromIncarnation: 'a1', toIncarnation: 'b2' });
    const vote: Message = { type: 'voteResponse', from: 'a', to: 'b', term: 3, rejected: false };
    t.same(it.of(vote, GROUP), { fromIncarnation: 'a1', toIncarnation: 'b1' }, 'and no more');
  },
);

t.test(
  'who is not named votes for nobody; a configuration without names excludes none',
  async (t) => {
    t.equal(new Incarnations('a1').takesPart(GROUP, 'a'), true);
    t.equal(new Incarnations('a2').takesPart(GROUP, 'a'), false, 'another is named');
    t.equal(new Incarnations('a2').takesPart(membershipOf({}), 'a'), false, 'nothing is known yet');
    t.equal(new Incarnations('d1').takesPart(GROUP, 'd'), false, 'it is not a member yet');
    t.equal(new Incarnations('a2').takesPart(membershipOf({ voters: ['a'] }), 'a'), true);
    t.equal(new Incarnations('').takesPart(GROUP, 'a'), true, 'names alone count');
  },
);

t.test('who asks by a configuration that names this storage is given its vote', async (t) => {
  // It joined a moment ago, and the leader who was to tell it so is gone.
  const joined = new Incarnations('d1');
  const asked = (to: string) => peer({ ...REQUEST, to: 'd' } as Message, 'b1', to);
  t.equal(joined.takesPart(GROUP, 'd'), false);
  t.equal(joined.mayVote(asked('d1'), GROUP), true);
  t.equal(joined.mayVote(asked(''), GROUP), false, 'a name alone is another one, perhaps');
  t.equal(new Incarnations('a1').mayVote(peer(REQUEST, 'b1', ''), GROUP), true);
});

t.test('a storage that is an older state of itself takes no part any more', async (t) => {
  const it = new Incarnations('a1');
  it.bar();
  t.equal(it.mayVote(peer(REQUEST, 'b1', 'a1'), GROUP), false);
  t.equal(it.takesPart(GROUP, 'a'), false);
});

const typesOf = (sent: readonly PeerMessage[]): string[] => sent.map(({ message }) => message.type);

t.test('a candidate is elected by the incarnations that it names, and by no others', async (t) => {
  const it = new LoneHost('a', GROUP, 'a1');
  const { host, sent } = it;
  it.pass(12);
  t.match(sent[0], { message: { type: 'vote', to: 'b' }, fromIncarnation: 'a1' });
  t.equal(sent[0]?.toIncarnation, 'b1');
  const { term } = host.status;
  const granted: Message = { type: 'voteResponse', from: 'b', to: 'a', term, rejected: false };
  host.receive([peer(granted, 'b2', 'a1')]);
  t.equal(host.standing.role, 'candidate', 'the vote of a wiped member does not count');
  host.receive([peer(granted, 'b1', 'a1')]);
  t.equal(host.standing.role, 'leader');
});

t.test(
  'a member whose storage is another one neither votes nor stands, and may follow',
  async (t) => {
    const it = new LoneHost('a', GROUP, 'a2');
    const { host, sent } = it;
    it.pass(40);
    host.receive([peer({ ...REQUEST, term: 7 }, 'b1', '')]);
    t.same(sent, [], 'neither a request nor a vote');
    t.equal(host.standing.role, 'follower');
    host.receive([peer({ ...HEARTBEAT, term: 7 }, 'b1', 'a2')]);
    t.same(typesOf(sent), ['heartbeatResponse']);
  },
);
