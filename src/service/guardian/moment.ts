/** This moment on all clocks of the machine. */

import { bootTimeMs, monotonicMs, wallMs } from '../../platform/linux/clock.ts';
import type { Moment } from '../tenure/latch.ts';

export function momentNow(): Moment {
  return { bootMs: bootTimeMs(), monotonicMs: monotonicMs(), wallMs: wallMs() };
}
