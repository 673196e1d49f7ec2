/** How far members are behind, how long the journal is kept, and what is applied when. */

import t from 'tap';
import type { ApplyWork } from '../../src/consensus/core/ready.ts';
import { Applying } from '../../src/daemon/applying.ts';
import { floorToPropose } from '../../src/daemon/journal-floor.ts';
import { LagMeter } from '../../src/daemon/lag-meter.ts';

t.test('a member is behind by the entries, bytes and seconds that it lacks', (t) => {
  const lags = new LagMeter();
  lags.note(1, 100, 1000);
  lags.note(2, 50, 2000);
  lags.note(3, 7, 2500);
  t.same(lags.lag(3, 3, 9000), { entries: 0, bytes: 0, seconds: 0 });
  t.same(lags.lag(2, 3, 3000), { entries: 1, bytes: 7, seconds: 0.5 });
  t.same(lags.lag(1, 3, 3000), { entries: 2, bytes: 57, seconds: 1 });
  t.same(lags.lag(0, 3, 3000), { entries: 3, bytes: 157, seconds: 2 });
  t.end();
});

t.test('entries from before the meter count as entries alone', (t) => {
  const lags = new LagMeter();
  t.same(lags.lag(5, 9, 1000), { entries: 4, bytes: 0, seconds: 0 });
  lags.note(10, 30, 1000);
  t.same(lags.lag(5, 10, 2000), { entries: 5, bytes: 30, seconds: 1 });
  t.end();
});

t.test('what another leader’s entries replaced is not counted', (t) => {
  const lags = new LagMeter();
  lags.note(1, 100, 1000);
  lags.note(2, 1_000_000, 1100);
  lags.note(3, 1_000_000, 1200);
  lags.note(2, 5, 4000);
  t.same(lags.lag(1, 2, 5000), { entries: 1, bytes: 5, seconds: 1 });
  t.same(lags.lag(0, 2, 5000), { entries: 2, bytes: 105, seconds: 4 });
  t.end();
});

t.test('of a very long lag the newest part is remembered', (t) => {
  const lags = new LagMeter();
  for (let index = 1; index <= 50_000; index += 1) lags.note(index, 1, index);
  const { entries, bytes } = lags.lag(0, 50_000, 50_000);
  t.equal(entries, 50_000);
  t.ok(bytes >= 10_000 && bytes <= 50_000, `${bytes}`);
  t.same(lags.lag(49_990, 50_000, 50_000).bytes, 10);
  t.end();
});

t.test('the floor rises to what the slowest member needs', (t) => {
  const calm = { floor: 0, ownNeed: 5000, journalBytes: 10, maxSizeBytes: 1000 };
  t.equal(floorToPropose({ ...calm, needs: [4000, 3000] }), 3000);
  t.equal(floorToPropose({ ...calm, needs: [9000, 9000] }), 5000, 'and never beyond the own need');
  t.equal(floorToPropose({ ...calm, needs: [4000, undefined] }), undefined, 'one was never heard');
  t.equal(floorToPropose({ ...calm, floor: 2800, needs: [3000, 3000] }), undefined, 'too little');
  t.equal(floorToPropose({ ...calm, floor: 2744, needs: [3000, 3000] }), 3000);
  t.end();
});

t.test('a journal that is nearly full waits for nobody', (t) => {
  const full = { floor: 0, ownNeed: 5000, journalBytes: 751, maxSizeBytes: 1000 };
  t.equal(floorToPropose({ ...full, needs: [300, undefined] }), 5000);
  t.equal(floorToPropose({ ...full, journalBytes: 750, needs: [300, 9000] }), 300);
  t.end();
});

const entryAt = (index: number, kind: 'command' | 'noop' = 'command') =>
  ({ index, term: 2, kind, data: Buffer.from(`${index}`) }) as const;

t.test('entries go to replication as its own, as a command, or as nothing', (t) => {
  const applying = new Applying(() => {});
  const work: ApplyWork = { entries: [entryAt(4, 'noop'), entryAt(5), entryAt(6)] };
  const items = applying.take(work, ({ index }) => (index === 6 ? 77 : undefined));
  t.same(items, [
    { index: 4, term: 2, data: undefined, own: undefined },
    { index: 5, term: 2, data: Buffer.from('5'), own: undefined },
    { index: 6, term: 2, data: undefined, own: 77 },
  ]);
  t.end();
});

t.test('work is done when its last entry is applied, in order', (t) => {
  const done: ApplyWork[] = [];
  const applying = new Applying((work) => done.push(work));
  const works = [[1, 2], [3], [4, 5]].map((indexes) => ({
    entries: indexes.map((index) => entryAt(index)),
  }));
  for (const work of works) applying.take(work, () => undefined);
  applying.appliedTo(1);
  t.same(done, []);
  applying.appliedTo(3);
  t.same(done, works.slice(0, 2));
  applying.appliedTo(5);
  applying.appliedTo(5);
  t.same(done, works);
  t.end();
});
