/**
 * The sampler's own process: looks at /proc every period and does nothing else. It has
 * a session of its own, since the scheduler deals out time by session.
 */

import { raisePriority } from '../../platform/linux/priority.ts';
import type { FromSampler, ToSampler } from './process-sampler-words.ts';
import { ProcessScan } from './process-scan.ts';
import { ProcessTimeline } from './process-timeline.ts';

/** How often it tells how many samples there are. */
const TELL_EVERY = 5;

function tell(word: FromSampler): void {
  process.send?.(word);
}

function sample({ scan: options, periodMs }: Extract<ToSampler, { kind: 'start' }>): void {
  const scan = new ProcessScan(options);
  const timeline = new ProcessTimeline();
  const look = (): void => {
    timeline.add(nowMs(), scan.look());
    if (timeline.samples % TELL_EVERY === 0) tell({ kind: 'samples', count: timeline.samples });
  };
  const timer = setInterval(look, periodMs);
  look();
  process.on('message', (word: ToSampler) => {
    if (word.kind !== 'stop') return;
    clearInterval(timer);
    const result = timeline.result(nowMs());
    process.send?.({ kind: 'result', result } satisfies FromSampler, () => process.disconnect());
  });
}

/** The monotonic clock, read here and not through anything that is being observed. */
function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

raisePriority();
process.once('message', (word: ToSampler) => {
  if (word.kind === 'start') sample(word);
});
// Without whoever wants to know there is nothing to witness.
process.once('disconnect', () => process.exit(0));
