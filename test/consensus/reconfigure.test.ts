/**
 * From one configuration to the next (Raft §6; dissertation §4.1 to §4.3), against the
 * plain meaning of each change.
 */

import fc from 'fast-check';
import t from 'tap';
import {
  decodeConfigChange,
  encodeConfigChange,
  LEAVE_JOINT,
  type MemberChange,
  type Transition,
} from '../../src/consensus/core/membership/change.ts';
import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import {
  changed,
  enterJoint,
  leaveJoint,
  membersAnew,
  simple,
} from '../../src/consensus/core/membership/reconfigure.ts';
import { majorityOf } from '../../src/consensus/core/quorum/majority.ts';
import { NO_NODE } from '../../src/consensus/core/types.ts';

const GROUP = membershipOf({ voters: ['a', 'b', 'c'] });
const WITNESSED = membershipOf({ voters: ['a', 'b', 'w'], witness: 'w', copySet: ['a', 'b'] });

const add = (id: string): MemberChange => ({ kind: 'addVoter', id });
const learn = (id: string): MemberChange => ({ kind: 'addLearner', id });
const remove = (id: string): MemberChange => ({ kind: 'remove', id });
const witness = (id: string): MemberChange => ({ kind: 'addWitness', id });
const refusal = (message: string | RegExp) => ({ code: 'CONFIG_INVALID', message });

t.test('one voter is added, removed or made a learner at once', async (t) => {
  t.match(simple(GROUP, [add('d')]), { voters: ['a', 'b', 'c', 'd'], outgoing: [] });
  t.match(simple(GROUP, [remove('c')]), { voters: ['a', 'b'], learners: [] });
  t.match(simple(GROUP, [learn('c')]), { voters: ['a', 'b'], learners: ['c'] });
  t.match(simple(membershipOf({}), [add('a')]), { voters: ['a'] });
});

t.test('learners come and go in any number: they change no majority', async (t) => {
  const two = simple(GROUP, [learn('d'), learn('e')]);
  t.match(two, { voters: ['a', 'b', 'c'], learners: ['d', 'e'] });
  t.match(simple(two, [remove('d'), remove('e')]), { learners: [] });
  t.match(simple(two, [add('d')]), { voters: ['a', 'b', 'c', 'd'], learners: ['e'] });
});

t.test('more than one voter changes only through a joint configuration', async (t) => {
  const refused = refusal('more than one voter changed without entering joint config');
  t.throws(() => simple(GROUP, [add('d'), add('e')]), refused);
  t.throws(() => simple(GROUP, [add('d'), remove('a')]), refused);
  t.doesNotThrow(() => simple(GROUP, [add('d'), remove('d')]), 'what is taken back is no change');
});

t.test('while it is joint, majorities of the old and of the new voters agree', async (t) => {
  const joint = enterJoint(GROUP, [add('d'), add('e'), remove('a'), remove('b')], true);
  t.match(joint, { voters: ['c', 'd', 'e'], outgoing: ['a', 'b', 'c'], autoLeave: true });
  t.match(leaveJoint(joint), { voters: ['c', 'd', 'e'], outgoing: [], autoLeave: false });
});

t.test('a voter that becomes a learner waits until its old vote is over', async (t) => {
  const joint = enterJoint(GROUP, [learn('c'), learn('d')], false);
  t.match(joint, { voters: ['a', 'b'], learners: ['d'], learnersNext: ['c'], autoLeave: false });
  t.match(leaveJoint(joint), { learners: ['c', 'd'], learnersNext: [] });
  const back = enterJoint(GROUP, [learn('c'), add('c')], false);
  t.match(back, { voters: ['a', 'b', 'c'], learnersNext: [] }, 'or is a voter again');
});

t.test(
  'each way into and out of a joint configuration is refused where it can not be',
  async (t) => {
    const joint = enterJoint(GROUP, [], false);
    t.throws(() => enterJoint(joint, [add('d')], false), refusal('config is already joint'));
    t.throws(() => leaveJoint(GROUP), refusal("can't leave a non-joint config"));
    t.throws(
      () => simple(joint, [add('d')]),
      refusal("can't apply simple config change in joint config"),
    );
    t.throws(
      () => enterJoint(membershipOf({}), [add('a')], false),
      refusal("can't make a zero-voter config joint"),
    );
  },
);

t.test('somebody always votes', async (t) => {
  const one = membershipOf({ voters: ['a'] });
  t.throws(() => simple(one, [remove('a')]), refusal('removed all voters'));
  t.throws(
    () => enterJoint(GROUP, ['a', 'b', 'c'].map(remove), true),
    refusal('removed all voters'),
  );
  t.throws(() => simple(one, [learn('a')]), refusal('removed all voters'));
});

t.test('who is what it is asked to become stays so', async (t) => {
  const group = simple(GROUP, [learn('d')]);
  t.strictSame(simple(group, [learn('d')]), group);
  t.strictSame(simple(group, [add('a')]), group);
  t.strictSame(simple(group, [remove('x')]), group);
  t.strictSame(simple(group, [{ kind: 'update', id: 'x' }]), group);
});

t.test('a change goes through a joint configuration when it must, or is told to', async (t) => {
  const by = (changes: MemberChange[], transition: Transition) =>
    changed(GROUP, { changes, transition, context: '' });
  t.match(by([add('d')], 'auto'), { outgoing: [] });
  t.match(by([add('d'), add('e')], 'auto'), { outgoing: ['a', 'b', 'c'], autoLeave: true });
  t.match(by([add('d')], 'implicit'), { outgoing: ['a', 'b', 'c'], autoLeave: true });
  t.match(by([add('d')], 'explicit'), { outgoing: ['a', 'b', 'c'], autoLeave: false });
  t.strictSame(changed(by([add('d')], 'explicit'), LEAVE_JOINT), simple(GROUP, [add('d')]));
});

t.test(
  'there is one witness, which has no data to lead with and is no voter with data',
  async (t) => {
    const two = membershipOf({ voters: ['a', 'b'] });
    t.match(simple(two, [witness('w')]), { voters: ['a', 'b', 'w'], witness: 'w' });
    t.strictSame(simple(WITNESSED, [witness('w')]), WITNESSED);
    t.throws(
      () => enterJoint(WITNESSED, [witness('x'), add('y')], true),
      refusal(/w is the witness/),
    );
    t.throws(() => simple(GROUP, [witness('c')]), refusal(/c is a voter with data/));
    t.throws(() => simple(WITNESSED, [add('w')]), refusal(/w is the witness: remove it/));
  },
);

t.test(
  'a witness becomes a voter with data by way of a learner, and the other way round',
  async (t) => {
    const learner = simple(WITNESSED, [learn('w')]);
    t.match(learner, { voters: ['a', 'b'], learners: ['w'], witness: NO_NODE, copySet: [] });
    t.match(simple(learner, [add('w')]), { voters: ['a', 'b', 'w'], witness: NO_NODE });
    const demoted = simple(GROUP, [learn('c')]);
    t.match(simple(demoted, [witness('c')]), { voters: ['a', 'b', 'c'], witness: 'c' });
  },
);

t.test(
  'a witness that is removed votes as such until the joint configuration is left',
  async (t) => {
    const joint = enterJoint(WITNESSED, [remove('w'), add('c')], true);
    t.match(joint, { voters: ['a', 'b', 'c'], outgoing: ['a', 'b', 'w'], witness: 'w' });
    t.match(leaveJoint(joint), { voters: ['a', 'b', 'c'], witness: NO_NODE, copySet: [] });
  },
);

t.test('what is known of members goes with them', async (t) => {
  const detail = { incarnation: 'd1', info: '{}' };
  const group = simple(GROUP, [{ kind: 'addLearner', id: 'd', detail }]);
  t.strictSame(group.details, { d: detail });
  const renewed = { incarnation: 'd1', info: '{"priority":1}' };
  const updated = simple(group, [{ kind: 'update', id: 'd', detail: renewed }]);
  t.strictSame(updated, { ...group, details: { d: renewed } });
  t.strictSame(simple(updated, [add('d')]).details, { d: renewed }, 'a promotion keeps it');
  t.strictSame(simple(updated, [remove('d')]).details, {});
  t.strictSame(simple(group, [{ kind: 'update', id: 'x', detail }]).details, group.details);
});

t.test('a machine with another storage is no longer the member that it was', async (t) => {
  const was = { incarnation: 'd1', info: '{}' };
  const is = { incarnation: 'd2', info: '{}' };
  const group = simple(GROUP, [{ kind: 'addLearner', id: 'd', detail: was }]);
  for (const kind of ['update', 'addLearner', 'addVoter'] as const) {
    t.throws(() => simple(group, [{ kind, id: 'd', detail: is }]), {
      code: 'CONFIG_INVALID',
      message: /another incarnation: remove it first/,
    });
  }
  const without = simple(group, [remove('d')]);
  const back = simple(without, [{ kind: 'addLearner', id: 'd', detail: is }]);
  t.strictSame(back.details, { d: is });
});

t.test('of whom is removed and comes back nothing is known any more', async (t) => {
  const group = membershipOf({ voters: ['a', 'b'], learners: ['d'] });
  const anew = (changes: MemberChange[]) => [
    ...membersAnew(group, { changes, transition: 'auto', context: '' }),
  ];
  t.strictSame(anew([remove('d'), learn('d')]), ['d']);
  t.strictSame(anew([remove('b')]), ['b']);
  t.strictSame(anew([remove('b'), add('b')]), [], 'it has voted all the time');
  t.strictSame(anew([add('d')]), []);
});

const ids = ['a', 'b', 'c', 'd', 'e'];
const change: fc.Arbitrary<MemberChange> = fc.record({
  kind: fc.constantFrom('addVoter', 'addLearner', 'remove', 'update'),
  // One voter always stays: else the changes one by one could remove all on their way.
  id: fc.constantFrom(...ids.slice(1)),
});
const changes = fc.array(change, { maxLength: 9 });
const oneByOne = (list: readonly MemberChange[], from = membershipOf({ voters: ['a'] })) =>
  list.reduce((membership, next) => simple(membership, [next]), from);

t.test('a joint change ends where its changes end one by one', async (t) => {
  fc.assert(
    fc.property(changes, changes, fc.boolean(), (before, list, autoLeave) => {
      const start = oneByOne(before);
      const joint = leaveJoint(enterJoint(start, list, autoLeave));
      t.strictSame(joint, oneByOne(list, start));
    }),
    { numRuns: 1000 },
  );
});

t.test('no two majorities of successive configurations can decide apart', async (t) => {
  fc.assert(
    fc.property(changes, change, (before, next) => {
      const from = oneByOne(before);
      const to = simple(from, [next]);
      const common = from.voters.filter((id) => to.voters.includes(id)).length;
      const apart = majorityOf(from.voters.length) + majorityOf(to.voters.length);
      const all = from.voters.length + to.voters.length - common;
      t.ok(apart > all, `${from.voters} to ${to.voters}`);
    }),
    { numRuns: 300 },
  );
});

t.test('a change is read from its entry as it was written', async (t) => {
  const detail = fc.record(
    { incarnation: fc.string(), info: fc.string() },
    { noNullPrototype: true },
  );
  const named = fc.record(
    {
      kind: fc.constantFrom<MemberChange['kind']>('addVoter', 'addLearner', 'addWitness', 'remove'),
      id: fc.string({ minLength: 1 }),
      detail,
    },
    { requiredKeys: ['kind', 'id'], noNullPrototype: true },
  );
  const any = fc.record(
    {
      changes: fc.array(named, { maxLength: 5 }),
      transition: fc.constantFrom<Transition>('auto', 'implicit', 'explicit'),
      context: fc.string(),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(any, (written) => {
      t.strictSame(decodeConfigChange(encodeConfigChange(written)), written);
    }),
  );
  t.equal(encodeConfigChange(LEAVE_JOINT).length, 0, 'leaving takes no room, so none is lacking');
});

t.test('an entry that holds no change is refused', async (t) => {
  const texts = [
    '{',
    '[]',
    '1',
    '{"changes":{},"transition":"auto","context":""}',
    '{"changes":[],"transition":"later","context":""}',
    '{"changes":[],"transition":"auto"}',
    '{"changes":[{"kind":"promote","id":"a"}],"transition":"auto","context":""}',
    '{"changes":[{"kind":"addVoter","id":7}],"transition":"auto","context":""}',
    '{"changes":[{"kind":"addVoter","id":"a","detail":3}],"transition":"auto","context":""}',
    JSON.stringify({ changes: Array(65).fill(add('a')), transition: 'auto', context: '' }),
    JSON.stringify({ changes: [], transition: 'auto', context: 'x'.repeat(5000) }),
  ];
  for (const text of texts) {
    t.throws(() => decodeConfigChange(Buffer.from(text)), { code: 'DATA_INVALID' }, text);
  }
});
