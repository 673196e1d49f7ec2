/** What a change of primary is called, and what it says of its cause. */

import t from 'tap';
import { type EarlierRecord, HistoryRecorder } from '../../src/daemon/history-recorder.ts';
import type { HistoryRecord } from '../../src/replication/command/decree.ts';
import { type Life, SECONDARY, type Serving } from '../../src/service/decide/life.ts';

const TERM = 5;
const phase = (name: 'elected' | 'arming' | 'opening', sinceMs: number): Life => ({
  phase: name,
  term: TERM,
  sinceMs,
});
const serving = (sinceMs: number): Serving => ({
  phase: 'serving',
  term: TERM,
  sinceMs,
  upAtMs: undefined,
  crashesSeen: 0,
  restartsAtMs: [],
});

/** n1 comes to serve; a leader was heard at 1,000 ms, and it was elected at 2,600 ms. */
function recordAfter(earlier: EarlierRecord | undefined): HistoryRecord {
  const recorder = new HistoryRecorder('n1', 0);
  recorder.leaderSeen(1000);
  const lives: readonly Life[] = [
    phase('elected', 2600),
    phase('arming', 2610),
    phase('opening', 2660.4),
    serving(2670),
  ];
  let before: Life = SECONDARY;
  for (const life of lives) {
    recorder.moved(before, life, 'sinceMs' in life ? life.sinceMs : 0, earlier);
    before = life;
  }
  return recorder.record(TERM, 3170, 1_700_000_000_000);
}

const tenure = (holder: string): EarlierRecord => ({ kind: 'tenure', term: 4, holder });
const handover = (cause?: string): EarlierRecord => ({
  kind: 'handover',
  term: 4,
  holder: 'n2',
  to: 'n1',
  ...(cause === undefined ? {} : { cause }),
});

t.test('every phase is told with its length, in order', (t) => {
  const { epoch, to, atMs, phases } = recordAfter(undefined);
  t.same({ epoch, to, atMs }, { epoch: TERM, to: 'n1', atMs: 1_700_000_000_000 });
  t.same(phases, [
    { name: 'elect', ms: 1600 },
    { name: 'catchUp', ms: 10 },
    { name: 'arm', ms: 50 },
    { name: 'open', ms: 10 },
    { name: 'start', ms: 500 },
  ]);
  t.end();
});

const cases: readonly {
  readonly name: string;
  readonly earlier: EarlierRecord | undefined;
  readonly is: Pick<HistoryRecord, 'event' | 'from' | 'cause'>;
}[] = [
  {
    name: 'the first primary of all',
    earlier: undefined,
    is: { event: 'start', from: '', cause: 'the first primary' },
  },
  {
    name: 'after a tenure of another node that ended without a word',
    earlier: tenure('n2'),
    is: { event: 'failover', from: 'n2', cause: 'n2 was not heard for 1600 ms' },
  },
  {
    name: 'after an own tenure',
    earlier: tenure('n1'),
    is: {
      event: 'restart',
      from: 'n1',
      cause: 'a new tenure: n1 was not heard for 1600 ms',
    },
  },
  {
    name: 'after a move that was asked for',
    earlier: handover('switchover'),
    is: { event: 'switchover', from: 'n2', cause: 'switchover' },
  },
  {
    name: 'after a node that was shut down',
    earlier: handover('shutdown'),
    is: { event: 'switchover', from: 'n2', cause: 'shutdown' },
  },
  {
    name: 'after a node whose service failed',
    earlier: handover('service'),
    is: { event: 'failover', from: 'n2', cause: 'service' },
  },
  {
    name: 'after a hand-over that names no cause',
    earlier: handover(),
    is: { event: 'failover', from: 'n2', cause: 'handed over' },
  },
];

for (const { name, earlier, is } of cases) {
  t.test(name, (t) => {
    t.match(recordAfter(earlier), is);
    t.end();
  });
}

t.test('each tenure is told by what came before it alone', (t) => {
  const recorder = new HistoryRecorder('n1', 0);
  recorder.leaderSeen(100);
  recorder.moved(SECONDARY, phase('elected', 200), 200, tenure('n2'));
  recorder.moved(phase('elected', 200), SECONDARY, 300, tenure('n2'));
  recorder.leaderSeen(5000);
  recorder.moved(SECONDARY, phase('elected', 5400), 5400, handover('switchover'));
  const record = recorder.record(TERM, 5500, 0);
  t.match(record, { event: 'switchover', phases: [{ name: 'elect', ms: 400 }] });
  t.equal(record.phases.length, 2);
  t.end();
});
