/** Whether everything that must happen within a lease fits into it. */

import type { Finding } from './fault.ts';
import { timingSettingsOf } from './raw-values.ts';
import type { RawConfig } from './schema.ts';
import { deriveTimings, timingSum } from './timings.ts';
import { formatDuration } from './units.ts';

export function timingFindings(raw: RawConfig): Finding[] {
  const timings = deriveTimings(timingSettingsOf(raw));
  const { terms, sumMs, limitMs } = timingSum(timings);
  if (sumMs <= limitMs) return [];
  const sum = terms.map(({ name, ms }) => `${name} ${formatDuration(ms)}`).join(' + ');
  const lease = formatDuration(timings.leaseMs);
  return [
    {
      path: ['timing'],
      found: `${sum} = ${formatDuration(sumMs)}`,
      accepted: `at most ${formatDuration(limitMs)}, the lease of ${lease} less the drift of clocks`,
      advice: 'shorten service.stopBudget or choose a longer lease',
    },
  ];
}
