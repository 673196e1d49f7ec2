/** What a node puts into the log: its order, what waits, and what becomes of it. */

import t from 'tap';
import type { ProposeResult } from '../../src/consensus/core/raft-core.ts';
import { type PlacedEntry, Proposals } from '../../src/daemon/proposals.ts';

/** A log that takes what the test lets it take. */
class FakeLog {
  readonly taken: string[] = [];
  readonly committedAfterMs: number[] = [];
  readonly accepted: { index: number; bytes: number }[] = [];
  answer: Extract<ProposeResult, { kind: 'dropped' }>['reason'] | 'accepted' = 'accepted';
  term = 3;
  atMs = 1000;
  readonly proposals = new Proposals(this);

  propose(data: readonly Uint8Array[]): ProposeResult {
    if (this.answer !== 'accepted') return { kind: 'dropped', reason: this.answer };
    this.taken.push(...data.map((bytes) => Buffer.from(bytes).toString()));
    return { kind: 'accepted', first: this.taken.length, last: this.taken.length };
  }

  nowMs(): number {
    return this.atMs;
  }

  onCommitted(ms: number): void {
    this.committedAfterMs.push(ms);
  }

  onAccepted(index: number, bytes: number): void {
    this.accepted.push({ index, bytes });
  }
}

const bytes = (text: string): Buffer => Buffer.from(text);

/** How a decree ended so far. */
function fateOf(decree: Promise<PlacedEntry>): { outcome: unknown } {
  const fate: { outcome: unknown } = { outcome: 'open' };
  decree.then(
    (placed) => {
      fate.outcome = placed;
    },
    (error) => {
      fate.outcome = error.code;
    },
  );
  return fate;
}

t.test('what there is no room for waits, and everything behind it too', async (t) => {
  const log = new FakeLog();
  const { proposals } = log;
  proposals.batch(1, bytes('a'));
  log.answer = 'overLimit';
  proposals.batch(2, bytes('bb'));
  const decree = proposals.decree(bytes('c'));
  proposals.batch(3, bytes('d'));
  t.same(log.taken, ['a']);
  log.answer = 'accepted';
  proposals.retry();
  t.same(log.taken, ['a', 'bb', 'c', 'd'], 'in the order in which they came');
  t.same(log.accepted[1], { index: 2, bytes: 2 });
  proposals.committed({ index: 3, term: 3 });
  t.same(await decree, { index: 3, term: 3 });
});

t.test('nothing is proposed while the lead is being transferred, and nothing lost', async (t) => {
  const log = new FakeLog();
  log.answer = 'transferring';
  const fate = fateOf(log.proposals.decree(bytes('a')));
  log.proposals.retry();
  await Promise.resolve();
  t.same([log.taken, fate.outcome], [[], 'open']);
  log.answer = 'accepted';
  log.proposals.retry();
  t.same(log.taken, ['a']);
});

t.test('an own batch is known again by index and term, once', async (t) => {
  const log = new FakeLog();
  const { proposals } = log;
  proposals.batch(7, bytes('a'));
  log.atMs += 25;
  t.equal(proposals.committed({ index: 2, term: 3 }), undefined, 'that is of somebody else');
  t.equal(proposals.committed({ index: 1, term: 3 }), 7);
  t.same(log.committedAfterMs, [25]);
  t.equal(proposals.committed({ index: 1, term: 3 }), undefined);
});

t.test('an entry that another term has put in the place is not the own one', async (t) => {
  const log = new FakeLog();
  const { proposals } = log;
  proposals.batch(1, bytes('a'));
  const decree = proposals.decree(bytes('b'));
  t.equal(proposals.committed({ index: 1, term: 4 }), undefined);
  proposals.committed({ index: 2, term: 4 });
  await t.rejects(decree, { code: 'TIMED_OUT', message: /another node leads/ });
  t.same(log.committedAfterMs, []);
});

t.test('whoever does not lead is told so at once', async (t) => {
  const log = new FakeLog();
  log.answer = 'notLeader';
  log.proposals.batch(1, bytes('a'));
  await t.rejects(log.proposals.decree(bytes('b')), { code: 'NOT_LEADER' });
  log.answer = 'accepted';
  log.proposals.retry();
  t.same(log.taken, [], 'what was refused does not come back');
});

t.test('with the lead the outcome of decrees is lost, of batches not', async (t) => {
  const log = new FakeLog();
  const { proposals } = log;
  proposals.batch(5, bytes('a'));
  const underWay = proposals.decree(bytes('b'));
  log.answer = 'overLimit';
  const waiting = proposals.decree(bytes('c'));
  proposals.batch(6, bytes('d'));
  proposals.leadLost();
  await t.rejects(underWay, { code: 'TIMED_OUT', message: /lost the lead/ });
  await t.rejects(waiting, { code: 'TIMED_OUT' });
  log.answer = 'accepted';
  proposals.retry();
  t.same(log.taken, ['a', 'b'], 'what waited is given up');
  t.equal(proposals.committed({ index: 1, term: 3 }), 5, 'a batch may be committed all the same');
});

t.test('when capture ends its batches are anybody’s entries, and decrees go on', async (t) => {
  const log = new FakeLog();
  const { proposals } = log;
  proposals.batch(1, bytes('a'));
  log.answer = 'overLimit';
  proposals.batch(2, bytes('b'));
  const decree = proposals.decree(bytes('c'));
  proposals.forgetBatches();
  log.answer = 'accepted';
  proposals.retry();
  t.same(log.taken, ['a', 'c']);
  t.equal(proposals.committed({ index: 1, term: 3 }), undefined);
  proposals.committed({ index: 2, term: 3 });
  t.same(await decree, { index: 2, term: 3 });
});

t.test('decrees beyond a limit are refused, and room comes back', async (t) => {
  const log = new FakeLog();
  log.answer = 'overLimit';
  const decrees = Array.from({ length: 4096 }, () => log.proposals.decree(bytes('x')));
  t.throws(() => log.proposals.decree(bytes('x')), { code: 'OVERLOADED' });
  log.proposals.leadLost();
  await Promise.allSettled(decrees);
  log.answer = 'accepted';
  const one = log.proposals.decree(bytes('y'));
  log.proposals.committed({ index: 1, term: 3 });
  t.same(await one, { index: 1, term: 3 });
});
