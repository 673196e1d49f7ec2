/**
 * A place before others in the queue for the processor, for what must wake on time:
 * as far as the machine allows it.
 */

import { setPriority } from 'node:os';
import { systemCode } from '../../errors.ts';
import { nativeFunction } from './libc.ts';

const setScheduler = nativeFunction(
  'int sched_setscheduler(int pid, int policy, const uint8_t *parameters)',
);

const SCHED_FIFO = 1;
/** What this thread starts begins as an ordinary process. */
const SCHED_RESET_ON_FORK = 0x40000000;
const REALTIME_PRIORITY = 5;
const NICE = -10;

export type GrantedPriority = 'realtime' | 'nice' | 'normal';

/** Raises the priority of the calling thread, and says what was granted: see sched(7). */
export function raisePriority(): GrantedPriority {
  const parameters = Buffer.alloc(4);
  parameters.writeInt32LE(REALTIME_PRIORITY);
  if (setScheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, parameters) === 0) return 'realtime';
  try {
    setPriority(NICE);
    return 'nice';
  } catch (error) {
    if (systemCode(error) !== 'ERR_SYSTEM_ERROR') throw error;
    return 'normal';
  }
}
