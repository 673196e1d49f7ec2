/**
 * The end of a tenure is final: nothing that arrives late, early or after a sleep
 * revives it (safety rules 3 and 8).
 */

import fc from 'fast-check';
import t from 'tap';
import type { Deadlines } from '../../src/service/tenure/deadlines.ts';
import { type Moment, type Stage, TenureLatch } from '../../src/service/tenure/latch.ts';

const GAP_MS_MAX = 200;
const DEADLINES: Deadlines = { fenceAtMs: 1000, killAtMs: 1200, deadByMs: 1800 };

/** The same moment on all clocks, as it is while nothing sleeps. */
function at(ms: number): Moment {
  return { bootMs: ms, monotonicMs: ms, wallMs: ms };
}

function later(by: number): Deadlines {
  const { fenceAtMs, killAtMs, deadByMs } = DEADLINES;
  return { fenceAtMs: fenceAtMs + by, killAtMs: killAtMs + by, deadByMs: deadByMs + by };
}

/** A latch whose tenure is that of epoch 5, looked at until `untilMs`. */
function armed(untilMs: number): TenureLatch {
  const latch = new TenureLatch(GAP_MS_MAX);
  latch.look(at(0));
  latch.arm(5, DEADLINES, 0);
  for (let ms = 50; ms <= untilMs; ms += 50) latch.look(at(ms));
  return latch;
}

t.test('each stage comes at its time', async (t) => {
  const latch = armed(950);
  const stages: (readonly [number, Stage])[] = [
    [999, 'hold'],
    [1000, 'fence'],
    [1199, 'fence'],
    [1200, 'kill'],
    [1399, 'kill'],
    [1598, 'kill'],
    [1797, 'kill'],
    [1800, 'dead'],
  ];
  for (const [ms, stage] of stages) t.equal(latch.look(at(ms)), stage, `at ${ms} ms`);
});

t.test('without a tenure there is nothing to end', async (t) => {
  const latch = new TenureLatch(GAP_MS_MAX);
  t.equal(latch.look(at(0)), 'none');
  latch.end();
  t.equal(latch.look(at(100)), 'none');
  t.equal(latch.isOver, false);
});

t.test('a renewal moves the end, and an overtaken one does not move it back', async (t) => {
  const latch = armed(900);
  t.equal(latch.arm(5, later(500), 900), 'armed');
  t.equal(latch.arm(5, DEADLINES, 910), 'armed');
  t.same(latch.deadlines, later(500));
  t.equal(latch.look(at(1000)), 'hold');
});

t.test('once the fence time has passed no renewal counts', async (t) => {
  const latch = armed(950);
  t.equal(latch.look(at(1000)), 'fence');
  t.equal(latch.arm(5, later(10_000), 1001), 'over');
  t.equal(latch.look(at(1050)), 'fence');
  t.ok(latch.isOver);
});

t.test('a renewal that comes too late to be kept is refused', async (t) => {
  const latch = armed(0);
  t.equal(latch.arm(6, DEADLINES, 1000), 'late');
  t.equal(latch.epoch, 5, 'and changes nothing');
});

t.test('an older epoch is refused, a newer one begins afresh', async (t) => {
  const latch = armed(950);
  latch.look(at(1000));
  t.equal(latch.arm(4, later(10_000), 1001), 'stale');
  t.equal(latch.arm(6, later(10_000), 1002), 'armed');
  t.equal(latch.look(at(1003)), 'hold');
  t.equal(latch.epoch, 6);
});

t.test('the daemon may end it at any time, for good', async (t) => {
  const latch = armed(100);
  latch.end();
  t.equal(latch.look(at(101)), 'fence');
  t.equal(latch.arm(5, later(100), 102), 'over');
  t.equal(latch.look(at(200)), 'fence');
});

t.test('after a release there is nothing to end, and an end stays one', async (t) => {
  const planned = armed(100);
  planned.released();
  t.equal(planned.look(at(150)), 'none');
  t.equal(planned.arm(5, later(100), 151), 'armed', 'a planned stop may be taken back');
  const over = armed(100);
  over.end();
  over.released();
  t.equal(over.look(at(150)), 'none');
  t.equal(over.arm(5, later(100), 151), 'over');
});

t.test('sleep that any clock shows ends the tenure, without time to ask', async (t) => {
  const cases: Readonly<Record<string, Moment>> = {
    'the machine was suspended': { bootMs: 301, monotonicMs: 110, wallMs: 110 },
    'the guardian was not scheduled': { bootMs: 301, monotonicMs: 301, wallMs: 301 },
    'a frozen machine whose wall clock was set right': {
      bootMs: 110,
      monotonicMs: 110,
      wallMs: 60_000,
    },
  };
  for (const [name, moment] of Object.entries(cases)) {
    const latch = armed(100);
    t.equal(latch.look(moment), 'kill', name);
    t.equal(latch.arm(5, later(10_000), moment.bootMs), 'over', `${name}: renewals that waited`);
    const next = { ...moment, bootMs: moment.bootMs + 50 };
    t.equal(latch.look(next), 'kill', `${name}: still no time to ask`);
  }
});

t.test('a clock that is set back says nothing about sleep', async (t) => {
  const latch = armed(100);
  t.equal(latch.look({ bootMs: 150, monotonicMs: 150, wallMs: -90_000 }), 'hold');
});

t.test('looks as far apart as allowed are no sleep', async (t) => {
  const latch = armed(100);
  t.equal(latch.look(at(300)), 'hold');
});

t.test('sleep before a tenure does not count against it', async (t) => {
  const latch = new TenureLatch(GAP_MS_MAX);
  latch.look(at(0));
  latch.look(at(500));
  t.equal(latch.arm(5, DEADLINES, 500), 'armed');
  t.equal(latch.look(at(550)), 'hold');
});

type Step =
  | { readonly kind: 'look'; readonly passedMs: number }
  | { readonly kind: 'arm'; readonly epoch: number; readonly leftMs: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'released' };

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('look' as const), passedMs: fc.nat(220) }),
  fc.record({
    kind: fc.constant('arm' as const),
    epoch: fc.integer({ min: 1, max: 3 }),
    leftMs: fc.integer({ min: -100, max: 1000 }),
  }),
  fc.constant({ kind: 'end' as const }),
  fc.constant({ kind: 'released' as const }),
);

t.test(
  'no sequence revives an epoch that was over, or holds beyond its last deadline',
  async (t) => {
    let held = 0;
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 60 }), (sequence) => {
        const latch = new TenureLatch(GAP_MS_MAX);
        let nowMs = 0;
        let over = 0;
        for (const step of sequence) {
          if (step.kind === 'look') {
            nowMs += step.passedMs;
            const isHolding = latch.look(at(nowMs)) === 'hold';
            if (isHolding) held += 1;
            if (isHolding && latch.epoch <= over) return false;
            if (isHolding && nowMs >= (latch.deadlines?.fenceAtMs ?? 0)) return false;
          } else if (step.kind === 'arm') {
            const fenceAtMs = nowMs + step.leftMs;
            const deadlines = { fenceAtMs, killAtMs: fenceAtMs + 200, deadByMs: fenceAtMs + 800 };
            latch.arm(step.epoch, deadlines, nowMs);
          } else if (step.kind === 'end') latch.end();
          else latch.released();
          if (latch.isOver) over = Math.max(over, latch.epoch);
        }
        return true;
      }),
      { seed: 1, numRuns: 3000 },
    );
    t.ok(held > 200, `${held} looks found a tenure to hold`);
  },
);
