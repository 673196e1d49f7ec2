/**
 * A member whose storage lost what it acknowledged: what it believes meanwhile, what it
 * says of itself, and what ends it.
 */

import t from 'tap';
import type { AppendMessage, HeartbeatMessage } from '../../src/consensus/core/messages.ts';
import type { CoreStatus } from '../../src/consensus/core/ready.ts';
import { Muting } from '../../src/consensus/host/muting.ts';
import { MemoryLog } from '../support/memory-storage.ts';

/** The log ends at 80, and 60 of that is surely what was committed. */
const STATUS: CoreStatus = {
  term: 6,
  role: 'follower',
  leader: 'a',
  commit: 60,
  applied: 60,
  firstIndex: 1,
  lastIndex: 80,
};
const envelope = { from: 'a', to: 'b', term: 6 };
const heartbeat = (commit: number, term = 6): HeartbeatMessage => ({
  ...{ ...envelope, type: 'heartbeat', term, commit, round: 1 },
});
const append = (commit: number, term = 6): AppendMessage => ({
  ...{ ...envelope, type: 'append', term, commit, prevIndex: 0, prevTerm: 0, entries: [] },
});

/** Entries of term 5, and of 6 from the 51st on. */
const termOf = (index: number): number => (index > 50 ? 6 : 5);
const work = (from: number, to: number) => ({
  hardState: undefined,
  snapshot: undefined,
  entries: Array.from({ length: to - from + 1 }, (_, at) => ({
    ...{ index: from + at, term: termOf(from + at), kind: 'noop' as const, data: Buffer.alloc(0) },
  })),
});

function muting(isMuted: boolean): { readonly it: Muting; readonly told: boolean[] } {
  const told: boolean[] = [];
  return { it: new Muting(isMuted, (now) => told.push(now)), told };
}

t.test('a leader that counts on more than is here mutes', async (t) => {
  const { it, told } = muting(false);
  t.same(it.heartbeat(heartbeat(80), STATUS), heartbeat(80), 'what is here may be committed');
  t.equal(it.answerTo(heartbeat(80), STATUS), undefined);
  t.same(it.heartbeat(heartbeat(81), STATUS), heartbeat(60), 'and nothing of the rest');
  t.equal(it.isMuted, true);
  t.same(told, [true]);
  t.match(it.answerTo(heartbeat(81), STATUS), { to: 'a', rejected: true, hasLost: true });
});

t.test('a leader of the past proves nothing', async (t) => {
  const { it } = muting(false);
  it.heartbeat(heartbeat(90, 5), STATUS);
  t.equal(it.isMuted, false);
});

t.test('while muted a heartbeat commits nothing, not even what is here', async (t) => {
  const { it } = muting(true);
  t.same(it.heartbeat(heartbeat(70), STATUS), heartbeat(60));
});

t.test('a rejection takes back everything but what is committed', async (t) => {
  const rejection = {
    ...{ from: 'b', to: 'a', term: 6, type: 'appendResponse' as const, index: 100 },
    ...{ rejected: true, hintIndex: 80, hintTerm: 3, hasLost: false },
  };
  t.match(muting(true).it.outgoing(rejection, STATUS, termOf), { hintIndex: 60, hasLost: true });
  t.equal(muting(false).it.outgoing(rejection, STATUS, termOf), rejection);
  const accepted = { ...rejection, rejected: false };
  t.equal(muting(true).it.outgoing(accepted, STATUS, termOf), accepted);
});

t.test(
  'it is whole with all that a leader of now has committed, once that is stored',
  async (t) => {
    const stored = new MemoryLog();
    const { it, told } = muting(true);
    it.heard(append(61), STATUS, termOf);
    it.heard(append(60, 5), STATUS, termOf);
    it.heard(append(50), { ...STATUS, commit: 50 }, termOf);
    stored.store(work(1, 59));
    it.stored(stored);
    t.equal(
      it.isMuted,
      true,
      'more is committed, or a leader of the past or without an own commit',
    );
    it.heard(append(60), STATUS, termOf);
    it.stored(stored);
    t.equal(it.isMuted, true, 'it is not stored yet');
    stored.store(work(60, 60));
    it.stored(stored);
    t.equal(it.isMuted, false);
    t.same(told, [false]);
  },
);
