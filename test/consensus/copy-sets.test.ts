/** The copy sets of a log, and which one a leader decrees (safety rule 23). */

import fc from 'fast-check';
import t from 'tap';
import { CopySets } from '../../src/consensus/core/copies/copy-sets.ts';
import { copySetIn, encodeCopySet } from '../../src/consensus/core/copies/decree.ts';
import { Hearing } from '../../src/consensus/core/copies/hearing.ts';
import { type CopySetFacts, nextCopySet } from '../../src/consensus/core/copies/next-copy-set.ts';
import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import type { Entry } from '../../src/consensus/core/types.ts';

const membership = membershipOf({
  voters: ['a', 'b', 'w'],
  witness: 'w',
  copySet: ['a', 'b'],
});

const decree = (index: number, ids: readonly string[]): Entry => ({
  term: 1,
  index,
  kind: 'config',
  data: encodeCopySet(ids),
});
const command = (index: number): Entry => ({
  term: 1,
  index,
  kind: 'command',
  data: Buffer.from('x'),
});
const matches =
  (of: Readonly<Record<string, number>>) =>
  (id: string): number =>
    of[id] ?? 0;

t.test('a decree is read as it was written, and nothing else is one', async (t) => {
  t.strictSame(copySetIn(decree(1, ['a', 'ä b'])), ['a', 'ä b']);
  t.equal(copySetIn({ kind: 'command', data: encodeCopySet(['a']) }), undefined);
  t.equal(copySetIn({ kind: 'config', data: Buffer.from('other') }), undefined);
  t.equal(copySetIn({ kind: 'config', data: Buffer.alloc(0) }), undefined);
});

t.test('a decree that can not be, or names nobody, is refused', async (t) => {
  for (const text of ['[', '{}', '[]', '[1]', '[""]', JSON.stringify(Array(65).fill('a'))]) {
    const data = Buffer.concat([Buffer.from([0xc1]), Buffer.from(text)]);
    t.throws(() => copySetIn({ kind: 'config', data }), { code: 'DATA_INVALID' }, text);
  }
});

t.test('the last decree of the log is in force, committed or not', async (t) => {
  const sets = new CopySets();
  t.strictSame(sets.inForce(membership), ['a', 'b']);
  sets.appended([command(1), decree(2, ['a'])]);
  t.strictSame(sets.inForce(membership), ['a']);
  sets.appended([decree(3, ['b'])]);
  t.strictSame(sets.inForce(membership), ['b']);
});

t.test('a decree that is replaced never was in force', async (t) => {
  const sets = new CopySets();
  sets.appended([decree(2, ['a']), command(3)]);
  sets.appended([command(2)]);
  t.strictSame(sets.inForce(membership), ['a', 'b']);
});

t.test('a decree that is committed is left to the membership', async (t) => {
  const sets = new CopySets();
  sets.appended([decree(2, ['a']), decree(5, ['b'])]);
  sets.committed(2);
  t.strictSame(sets.inForce({ ...membership, copySet: ['a'] }), ['b']);
  sets.committed(5);
  t.strictSame(sets.inForce({ ...membership, copySet: ['b'] }), ['b']);
});

t.test('who is no data voter any more is in no set', async (t) => {
  const sets = new CopySets();
  const left = { ...membership, voters: ['a', 'c', 'w'] };
  t.strictSame(sets.inForce(left), ['a']);
  t.strictSame(sets.inForce({ ...left, voters: ['c', 'w'] }), ['c'], 'nobody left: all of now');
  t.strictSame(sets.inForce({ ...membership, copySet: [] }), ['a', 'b'], 'nothing was decreed');
});

t.test('the witness knows what all of the set hold', async (t) => {
  const sets = new CopySets();
  t.equal(sets.witnessReach(membership, matches({ a: 7, b: 5, w: 9 })), 5);
  t.equal(sets.reach(membership, matches({ a: 7, b: 5, w: 9 })), 5);
});

t.test('a smaller set counts for the witness once its members hold the decree', async (t) => {
  const sets = new CopySets();
  sets.appended([decree(9, ['a'])]);
  t.equal(sets.witnessReach(membership, matches({ a: 8, b: 5 })), 5);
  t.equal(sets.witnessReach(membership, matches({ a: 9, b: 5 })), 9);
  t.equal(sets.reach(membership, matches({ a: 8, b: 5 })), 8, 'for commits it does at once');
});

t.test('a larger set counts at once', async (t) => {
  const sets = new CopySets();
  sets.appended([decree(9, ['a']), decree(20, ['a', 'b'])]);
  t.equal(sets.witnessReach(membership, matches({ a: 25, b: 15 })), 15);
  t.equal(sets.reach(membership, matches({ a: 25, b: 15 })), 15);
});

t.test('the witness never knows more than any set that it may have heard of allows', async (t) => {
  const ids = ['a', 'b', 'c'];
  const group = membershipOf({ voters: [...ids, 'w'], witness: 'w', copySet: ids });
  const sets = fc.array(fc.subarray(ids, { minLength: 1 }), { maxLength: 5 });
  const match = fc.nat(60);
  fc.assert(
    fc.property(sets, match, match, match, (decreed, a, b, c) => {
      const copies = new CopySets();
      const entries = decreed.map((set, at) => decree(10 * (at + 1), set));
      copies.appended(entries);
      const matchOf = matches({ a, b, c });
      const reach = copies.witnessReach(group, matchOf);
      // The last decree that the witness has heard of is in force for it.
      const known = decreed[Math.min(Math.floor(reach / 10), decreed.length) - 1] ?? ids;
      const inForce = copies.inForce(group);
      return [...known, ...inForce].every((id) => matchOf(id) >= reach);
    }),
  );
  t.pass();
});

const facts = (parts: Partial<CopySetFacts>): CopySetFacts => ({
  self: 'a',
  inForce: ['a', 'b'],
  dataVoters: ['a', 'b'],
  mayShrink: true,
  mayGrow: true,
  isSilent: () => false,
  isLevel: () => true,
  ...parts,
});

t.test('a set that is as it should be is not decreed again', async (t) => {
  t.equal(nextCopySet(facts({})), undefined);
});

t.test('a silent member is left out, if the witness can take its place', async (t) => {
  const isSilent = (id: string) => id === 'b';
  t.strictSame(nextCopySet(facts({ isSilent })), ['a']);
  t.equal(nextCopySet(facts({ isSilent, mayShrink: false })), undefined);
});

t.test('the leader itself is never left out, and puts itself in', async (t) => {
  t.strictSame(nextCopySet(facts({ isSilent: () => true })), ['a']);
  t.strictSame(nextCopySet(facts({ self: 'b', inForce: ['a'], isSilent: (id) => id === 'a' })), [
    'b',
  ]);
});

t.test('a member is taken back when it is level and heard', async (t) => {
  const inForce = ['a'];
  t.strictSame(nextCopySet(facts({ inForce })), ['a', 'b']);
  t.equal(nextCopySet(facts({ inForce, isLevel: () => false })), undefined);
  t.equal(nextCopySet(facts({ inForce, isSilent: (id) => id === 'b' })), undefined);
  t.equal(nextCopySet(facts({ inForce, mayGrow: false })), undefined);
});

t.test('silence is counted for the leader before, in every role', async (t) => {
  const hearing = new Hearing();
  hearing.heard('a');
  hearing.follows('a');
  for (let tick = 0; tick < 12; tick += 1) hearing.tick();
  hearing.lead(['a', 'b', 'w']);
  t.equal(hearing.silentFor('a'), 12, 'it owed a word all the time');
  t.equal(hearing.silentFor('b'), 0, 'a follower hears nothing of the others');
  hearing.tick();
  t.equal(hearing.silentFor('b'), 1);
});

t.test('one that is owed nothing is not called still', async (t) => {
  const hearing = new Hearing();
  hearing.lead(['b']);
  for (let tick = 0; tick < 5; tick += 1) {
    hearing.tick();
    hearing.noteMatch('b', 7, 7);
  }
  t.equal(hearing.stillFor('b'), 0);
  for (let tick = 0; tick < 5; tick += 1) {
    hearing.tick();
    hearing.noteMatch('b', 7, 8);
  }
  t.equal(hearing.stillFor('b'), 5, 'it answers and stores nothing');
  hearing.noteMatch('b', 8, 9);
  t.equal(hearing.stillFor('b'), 0);
});
