/**
 * Changes of the configuration under way: when they are taken up, when they come into
 * effect, and who leads meanwhile (Raft §6; dissertation §4).
 */

import t from 'tap';
import { type ConfigChange, LEAVE_JOINT } from '../../src/consensus/core/membership/change.ts';
import { CoreGroup } from '../support/core-group.ts';

const ids = ['a', 'b', 'c'];

/** `+d` a voter, `~d` a learner, `-d` removed. */
function change(text: string, transition: ConfigChange['transition'] = 'auto'): ConfigChange {
  const kinds = { '+': 'addVoter', '~': 'addLearner', '-': 'remove' } as const;
  const changes = text
    .split(' ')
    .map((word) => ({ kind: kinds[word[0] as keyof typeof kinds], id: word.slice(1) }));
  return { changes, transition, context: '' };
}

/** Led by `a`, with an entry of its own term committed. */
function ledGroup(...parts: ConstructorParameters<typeof CoreGroup>): CoreGroup {
  const group = new CoreGroup(...parts);
  group.elect('a');
  return group;
}

const votersOf = (group: CoreGroup, id: string) => group.of(id).core.membership.voters;

t.test('a change is in effect at everybody once it is committed', async (t) => {
  const group = ledGroup(ids);
  group.start('d');
  t.match(group.of('a').core.proposeConfig(change('+d')), { kind: 'accepted', first: 2 });
  group.settle();
  for (const id of [...ids, 'd']) {
    t.same(votersOf(group, id), ['a', 'b', 'c', 'd'], id);
    t.match(group.of(id).placed, { index: 2, membership: { voters: ['a', 'b', 'c', 'd'] } });
  }
});

t.test('until it is committed it counts for nothing', async (t) => {
  const group = ledGroup(ids);
  group.cut.add('b').add('c');
  group.of('a').core.proposeConfig(change('-c'));
  group.settle();
  t.same(votersOf(group, 'a'), ids);
  t.equal(group.of('a').core.status.commit, 1);
});

t.test('it takes effect when it is committed, whatever is applied', async (t) => {
  const group = ledGroup(ids, { applyingBytesMax: 1 });
  const { core, log } = group.of('b');
  group.propose('a', 'long before');
  group.of('a').core.proposeConfig(change('-c'));
  for (const round of [1, 2, 3, 4]) {
    group.work('a');
    group.work('c');
    const ready = core.ready();
    group.inFlight.push(...(ready?.messages ?? []));
    if (ready?.append !== undefined) {
      log.store(ready.append);
      group.inFlight.push(...core.appended(ready.append));
    }
    group.deliver();
    t.ok(core.status.applied < 2, `b has applied nothing in round ${round}`);
  }
  t.same(core.membership.voters, ['a', 'b']);
});

t.test('a leader changes nothing before it has committed an entry of its own term', async (t) => {
  const group = new CoreGroup(ids);
  group.of('a').core.campaign();
  group.until(() => group.of('a').core.status.role === 'leader');
  t.match(group.of('a').core.proposeConfig(change('-c')), { reason: 'changePending' });
});

t.test('one change is under way at a time', async (t) => {
  const group = ledGroup(ids);
  group.of('a').core.proposeConfig(change('-c'));
  t.match(group.of('a').core.proposeConfig(change('-b')), { reason: 'changePending' });
  group.settle();
  t.match(group.of('a').core.proposeConfig(change('-b')), { kind: 'accepted' });
});

t.test('a new leader waits for the change that an earlier one left in the log', async (t) => {
  const group = ledGroup(ids);
  group.cut.add('c');
  group.of('a').core.proposeConfig(change('-c'));
  group.work('a');
  group.deliver();
  group.work('b');
  group.inFlight = [];
  group.cut.delete('c');
  group.cut.add('a');
  group.tick('b', 20);
  group.tick('c', 10);
  group.settle();
  t.equal(group.leader, 'b');
  t.same(votersOf(group, 'b'), ['a', 'b'], 'its own no-op committed what stood before it');
});

t.test('what can not follow the configuration is refused', async (t) => {
  const { core } = ledGroup(['a']).of('a');
  t.match(core.proposeConfig(LEAVE_JOINT), { reason: 'notJoint' });
  t.match(core.proposeConfig(change('-a')), { reason: 'invalid' });
  const follower = new CoreGroup(ids).of('b').core;
  t.match(follower.proposeConfig(change('-a')), { reason: 'notLeader' });
});

t.test('a joint configuration is left by the leader itself', async (t) => {
  const group = ledGroup(ids);
  for (const id of ['d', 'e']) group.start(id);
  group.of('a').core.proposeConfig(change('+d +e -b -c'));
  group.settle();
  for (const id of ['a', 'd', 'e']) {
    const { voters, outgoing } = group.of(id).core.membership;
    t.same([voters, outgoing], [['a', 'd', 'e'], []], id);
  }
});

t.test('while it is joint nothing is committed without a majority of either half', async (t) => {
  const group = ledGroup(ids);
  for (const id of ['d', 'e']) group.start(id);
  group.of('a').core.proposeConfig(change('+d +e -b -c', 'explicit'));
  group.settle();
  const { core } = group.of('a');
  for (const half of [
    ['b', 'c'],
    ['d', 'e'],
  ]) {
    const { commit } = core.status;
    for (const id of half) group.cut.add(id);
    group.propose('a', 'x');
    group.settle();
    t.equal(core.status.commit, commit, `without ${half}`);
    group.cut.clear();
    group.pass(2);
    t.equal(core.status.commit, commit + 1);
  }
});

t.test('one that is to be left by hand stays, and takes no other change', async (t) => {
  const group = ledGroup(ids);
  const { core } = group.of('a');
  core.proposeConfig(change('-c', 'explicit'));
  group.settle();
  group.pass(30);
  t.same(core.membership.outgoing, ids);
  t.match(core.proposeConfig(change('-b')), { reason: 'joint' });
  t.match(core.proposeConfig(LEAVE_JOINT), { kind: 'accepted' });
  group.settle();
  t.same(core.membership.outgoing, []);
});

t.test('a leader that follows goes on to leave what was joint before it', async (t) => {
  const group = ledGroup(ids, { checkQuorum: false });
  group.start('d');
  group.of('a').core.proposeConfig(change('+d -c', 'implicit'));
  // The leader is lost as soon as the joint configuration is known to be committed.
  group.until(() => group.of('b').core.membership.outgoing.length > 0);
  group.cut.add('a');
  group.inFlight = [];
  group.elect('b');
  t.not(group.leader, 'a');
  t.same(group.of('b').core.membership.voters, ['a', 'b', 'd']);
  t.same(group.of('b').core.membership.outgoing, []);
});

t.test('a leader that is removed commits its removal and steps down (§4.2.2)', async (t) => {
  const group = ledGroup(ids);
  group.of('a').core.proposeConfig(change('-a'));
  group.settle();
  t.match(group.of('a').core.status, { role: 'follower', leader: '' });
  t.same(votersOf(group, 'b'), ['b', 'c']);
  group.tick('a', 50);
  t.equal(group.of('a').core.status.role, 'follower', 'and never stands again');
});

t.test('a leader that becomes a learner steps down as well', async (t) => {
  const group = ledGroup(ids);
  group.of('a').core.proposeConfig(change('~a'));
  group.settle();
  t.match(group.of('a').core.status, { role: 'follower' });
  t.same(group.of('a').core.membership.learners, ['a']);
});

t.test('it does not count itself while it manages without its own vote (§4.2.2)', async (t) => {
  const group = ledGroup(ids, { stepDownOnRemoval: false });
  const { core } = group.of('a');
  core.proposeConfig(change('-a'));
  group.settle();
  t.equal(core.status.role, 'leader');
  t.match(group.propose('a', 'x'), { reason: 'notMember' });
});

t.test('a removed member that asks for votes disturbs nobody (§4.2.3)', async (t) => {
  const group = ledGroup(ids);
  group.start('d');
  group.of('a').core.proposeConfig(change('+d'));
  group.settle();
  group.cut.add('d');
  group.of('a').core.proposeConfig(change('-d'));
  group.settle();
  group.cut.clear();
  group.tick('d', 30);
  group.settle();
  t.equal(group.of('d').core.membership.voters.length, 4, 'it does not know');
  t.match(group.of('a').core.status, { role: 'leader', term: 1 });
});

t.test('who has not taken a committed change into effect does not stand', async (t) => {
  const group = ledGroup(ids);
  group.of('a').core.proposeConfig(change('-c'));
  const { core } = group.of('b');
  // Word of the commit has come, and no work was taken since.
  group.until(() => core.status.commit === 2);
  core.campaign();
  t.equal(core.status.role, 'follower');
  core.ready();
  core.campaign();
  t.equal(core.status.role, 'preCandidate');
});

t.test('after a start everything up to the durable commit is in effect at once', async (t) => {
  const group = ledGroup(ids);
  group.of('a').core.proposeConfig(change('-c'));
  group.settle();
  group.propose('a', 'more');
  group.pass(2);
  const { log } = group.of('b');
  t.ok(log.hardState.commit >= 2, 'the commit is durable');
  group.of('b').placed = { index: 0, membership: group.of('b').placed.membership };
  const { membership } = group.of('b').placed;
  group.of('b').placed = { index: 0, membership: { ...membership, voters: ids } };
  group.restart('b');
  t.same(votersOf(group, 'b'), ['a', 'b'], 'before it does anything');
});

t.test('a change that is in effect already is not made again', async (t) => {
  const group = ledGroup(['a', 'b']);
  const { core } = group.of('a');
  // Made again on top of each other, these can not follow: a voter with data is no witness.
  for (const kind of ['addWitness', 'addLearner', 'addVoter'] as const) {
    core.proposeConfig({ ...change('+c'), changes: [{ kind, id: 'c' }] });
    group.settle();
  }
  // One that is told the configuration of now, and has yet to be sent the log.
  const { placed } = group.of('a');
  group.start('e');
  group.of('e').placed = placed;
  group.restart('e');
  core.proposeConfig(change('~e'));
  group.settle();
  t.same(group.of('e').core.membership, core.membership);
  t.match(core.membership, { voters: ['a', 'b', 'c'], learners: ['e'], witness: '' });
});

t.test('a new member is sent the log at once, and is called active', async (t) => {
  const group = ledGroup(ids);
  group.start('d');
  group.cut.add('d');
  group.of('a').core.proposeConfig(change('~d'));
  group.settle();
  const progress = group
    .of('a')
    .core.progress()
    .find(({ id }) => id === 'd');
  t.match(progress, { state: 'probe', match: 0, isActive: true, isLearner: true });
  group.cut.clear();
  group.pass(2);
  t.match(group.of('d').core.status, { lastIndex: 2, commit: 2 });
});

t.test('a transfer to one who votes no more is given up', async (t) => {
  const group = ledGroup(ids);
  const { core } = group.of('a');
  core.proposeConfig(change('-c'));
  group.cut.add('c');
  t.equal(core.transfer('c'), 'begun');
  group.settle();
  t.equal(core.transferTarget, undefined);
  t.match(group.propose('a', 'x'), { kind: 'accepted' });
});
