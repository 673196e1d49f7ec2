/** Who is listened to, and what the others are told (safety rule 24). */

import t from 'tap';
import { absenceOf } from '../../../src/daemon/members/absence.ts';
import { type AdmissionFacts, admit } from '../../../src/daemon/members/admission.ts';
import type { RosterMember } from '../../../src/daemon/members/roster.ts';
import { SeenStates } from '../../../src/daemon/members/seen-states.ts';
import type { Hello } from '../../../src/net/transport/hello.ts';

const hello = (changes: Partial<Hello> = {}): Hello => ({
  ...{ protocol: 2, cluster: 'example', clusterId: 'k', from: 'n2', incarnation: 'b', to: 'n1' },
  ...{ channel: 'log', term: 7, vote: 'n1', commit: 100, isWhole: true },
  ...changes,
});

const listed = (id: string, incarnation: string): RosterMember => ({
  ...{ id, incarnation, standing: 'voter', endpoint: undefined },
  ...{ address: '', priority: 0, site: '', canBePrimary: true },
});

const facts = (changes: Partial<AdmissionFacts> = {}): AdmissionFacts => ({
  clusterId: 'k',
  members: [listed('n1', 'a'), listed('n2', 'b')],
  knowsLeader: true,
  seen: new SeenStates(),
  ...changes,
});

t.test('before the founding, and as it is listed, a node is welcome', async (t) => {
  t.same(admit(hello(), facts()), { kind: 'welcome' });
  t.same(admit(hello({ clusterId: '', incarnation: 'x' }), facts({ clusterId: '' })), {
    kind: 'welcome',
  });
});

t.test('a founder that has not heard of the founding is welcome', async (t) => {
  t.same(admit(hello({ clusterId: '' }), facts()), { kind: 'welcome' });
});

t.test('a member with an empty data directory is told what it was, and what to do', async (t) => {
  const verdict = admit(hello({ clusterId: '', incarnation: 'x', term: 0, commit: 0 }), facts());
  t.match(verdict, {
    kind: 'refused',
    reason:
      'the data directory of n2 is empty, and the cluster knows n2 as incarnation b: ' +
      'run `mailraft member add n2 HOST:PORT` against the primary',
  });
});

t.test('one that is not listed is told so', async (t) => {
  const verdict = admit(hello({ from: 'n9', incarnation: 'z' }), facts());
  t.match(verdict, {
    kind: 'refused',
    reason: /n9 is no member of this cluster: it was not added, or it was removed: empty/,
  });
});

t.test('who knows no leader listens to anyone of the cluster: it may be behind', async (t) => {
  const behind = facts({ knowsLeader: false });
  t.same(admit(hello({ from: 'n9' }), behind), { kind: 'welcome' });
  t.same(admit(hello({ incarnation: 'b2' }), behind), { kind: 'welcome' });
  t.match(admit(hello({ clusterId: '', incarnation: 'b2' }), behind), { kind: 'refused' });
});

t.test('an older state of a data directory is told from a newer one', async (t) => {
  const seen = new SeenStates();
  seen.note('b', { term: 7, vote: '', commit: 100 });
  seen.note('b', { term: 6, vote: 'n3', commit: 90 });
  seen.note('b', { term: 7, vote: 'n1', commit: 80 });
  const judged = (changes: Partial<Hello>): string => admit(hello(changes), facts({ seen })).kind;
  t.equal(judged({}), 'welcome');
  t.equal(judged({ term: 8, commit: 150 }), 'welcome');
  t.equal(judged({ commit: 99 }), 'rolledBack');
  t.equal(judged({ vote: '' }), 'rolledBack', 'a vote is never taken back');
  t.equal(judged({ vote: 'n3' }), 'rolledBack', 'nor given to another');
  t.equal(judged({ term: 8, vote: '' }), 'welcome', 'in a later term it may be');
  t.equal(judged({ term: 6, commit: 200 }), 'rolledBack');
  t.equal(judged({ commit: 50, isWhole: false }), 'welcome', 'damage is known, and repaired');
  t.equal(judged({ term: 6, isWhole: false }), 'rolledBack', 'forgotten votes are not');
  t.match(admit(hello({ commit: 99 }), facts({ seen })), {
    reason: /older state of itself, as of a restored copy.*mailraft member add n2/,
  });
});

t.test('what was seen of many data directories is bounded', async (t) => {
  const seen = new SeenStates();
  for (let at = 0; at < 300; at += 1) seen.note(`${at}`, { term: 5, vote: '', commit: 5 });
  const state = { term: 1, vote: '', commit: 1, isWhole: true };
  t.equal(seen.isOlder('0', state), false);
  t.equal(seen.isOlder('299', state), true);
});

t.test('a node that takes no part says why', async (t) => {
  const none = {
    foundingProblem: undefined,
    fault: '',
    refusals: [],
    knowsLeader: true,
  };
  const own = { id: 'n2', incarnation: 'b', ...none };
  const roster = { self: listed('n2', 'b'), isGroups: true };
  t.equal(absenceOf({ ...own, roster }), undefined);
  const unheard = { ...own, roster, knowsLeader: false };
  t.equal(absenceOf(unheard), undefined);
  t.match(absenceOf({ ...unheard, refusals: ['n1 refuses: removed'] }), /removed/);
  const removed = { self: undefined, isGroups: true };
  t.match(absenceOf({ ...own, roster: removed }), /the cluster does not list n2: it was removed/);
  t.match(absenceOf({ ...own, roster: removed, refusals: ['n1 refuses: because'] }), /because/);
  const replaced = { self: listed('n2', 'c'), isGroups: true };
  t.match(absenceOf({ ...own, roster: replaced }), /another data directory: run `mailraft member/);
  t.equal(absenceOf({ ...own, roster, foundingProblem: 'waits' }), 'waits');
  t.equal(absenceOf({ ...own, roster, fault: 'restored' }), 'restored');
  t.equal(absenceOf({ ...own, roster: { ...removed, isGroups: false } }), undefined);
});
