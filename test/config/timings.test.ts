/** All timings follow from the lease, and what must happen within it does. */

import fc from 'fast-check';
import t from 'tap';
import { deriveTimings, PRESETS, renewIntervalMs, timingSum } from '../../src/config/timings.ts';
import { deadlinesOf } from '../../src/service/tenure/deadlines.ts';

t.test('the presets leave room in the lease, also for a lost heartbeat', async (t) => {
  for (const [name, leaseMs] of Object.entries(PRESETS)) {
    const timings = deriveTimings({ leaseMs, stopBudgetMs: 200 });
    const { sumMs, limitMs } = timingSum(timings);
    t.ok(sumMs < limitMs * 0.6, `${name}: ${sumMs} of ${limitMs}`);
    t.ok(timings.blipToleranceMs > renewIntervalMs(timings), `${name}: ${timings.blipToleranceMs}`);
  }
});

t.test('the timings of a fast cluster', async (t) => {
  t.same(deriveTimings({ leaseMs: 1000, stopBudgetMs: 200 }), {
    leaseMs: 1000,
    ticksPerLease: 40,
    heartbeatTicks: 4,
    networkBudgetMs: 100,
    ending: { stopBudgetMs: 200, killMs: 50, marginMs: 50 },
    // 1000 x 0.96 - 300 of the ending - 2 x (100 + 100)
    blipToleranceMs: 260,
    // 100 + 1000 x 64/40 x 1.04 + 4 x 100
    worstCaseTakeoverMs: 2164,
  });
});

t.test('single timings stand as they are given', async (t) => {
  const timings = deriveTimings({
    leaseMs: 4000,
    stopBudgetMs: 300,
    networkBudgetMs: 40,
    killMs: 70,
    marginMs: 90,
  });
  t.equal(timings.networkBudgetMs, 40);
  t.same(timings.ending, { stopBudgetMs: 300, killMs: 70, marginMs: 90 });
  t.equal(timingSum(timings).sumMs, 400 + 40 + 300 + 70 + 90);
  t.equal(timingSum(timings).limitMs, 3840);
});

t.test(
  'silence within the tolerance lets the next round arrive before the tenure ends',
  async (t) => {
    const settings = fc.record({
      leaseMs: fc.integer({ min: 200, max: 600_000 }),
      stopBudgetMs: fc.integer({ min: 10, max: 10_000 }),
    });
    fc.assert(
      fc.property(settings, fc.double({ min: 0, max: 1, noNaN: true }), (settings, share) => {
        const timings = deriveTimings(settings);
        const { blipToleranceMs, networkBudgetMs, ending, leaseMs } = timings;
        fc.pre(blipToleranceMs > 0);
        const renewMs = renewIntervalMs(timings);
        // A round leaves at 0 and is answered. The silence swallows the answer of the next one.
        const silenceEndsMs = renewMs + share * networkBudgetMs + blipToleranceMs;
        // The rounds go on at their pace: the first one after the silence, answered at the latest.
        const answeredMs = Math.ceil(silenceEndsMs / renewMs) * renewMs + networkBudgetMs;
        return answeredMs <= deadlinesOf(leaseMs * 0.96, ending).fenceAtMs;
      }),
    );
    t.pass('whatever was drawn');
  },
);

t.test('a longer lease takes longer to take over', async (t) => {
  const lease = fc.integer({ min: 200, max: 300_000 });
  fc.assert(
    fc.property(lease, lease, (one, other) => {
      const takeover = (leaseMs: number) =>
        deriveTimings({ leaseMs, stopBudgetMs: 200 }).worstCaseTakeoverMs;
      fc.pre(one < other);
      return takeover(one) <= takeover(other) && takeover(one) > one * 1.5;
    }),
  );
  t.pass('whatever was drawn');
});
