/** The three times that end a tenure, all before its lease does (safety rule 3). */

import fc from 'fast-check';
import t from 'tap';
import { deadlinesOf, fenceLeadMs } from '../../src/service/tenure/deadlines.ts';

t.test('the service is asked, killed and gone before the lease ends', async (t) => {
  const times = { stopBudgetMs: 200, killMs: 500, marginMs: 100 };
  t.same(deadlinesOf(10_000, times), { fenceAtMs: 9200, killAtMs: 9400, deadByMs: 10_000 });
  t.equal(fenceLeadMs(times), 800);
});

t.test('the order of the three holds for any lease and any budget', async (t) => {
  const budget = fc.integer({ min: 0, max: 100_000 });
  const endings = fc.record({ stopBudgetMs: budget, killMs: budget, marginMs: budget });
  const isOrdered = (): void =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 45 }), endings, (leaseEndMs, times) => {
        const { fenceAtMs, killAtMs, deadByMs } = deadlinesOf(leaseEndMs, times);
        return (
          deadByMs === leaseEndMs &&
          killAtMs - fenceAtMs === times.stopBudgetMs &&
          deadByMs - killAtMs === times.killMs + times.marginMs &&
          leaseEndMs - fenceAtMs === fenceLeadMs(times)
        );
      }),
    );
  t.doesNotThrow(isOrdered);
});
