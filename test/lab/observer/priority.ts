/**
 * A place before others in the queue for the processor, as far as that is allowed.
 *
 * The observer sleeps most of the time and must wake on time. The best is a
 * real-time class, then a better nice value; both need permission. Anybody may
 * ask for a shorter slice, which since Linux 6.12 means an earlier turn. None
 * of them is needed: the observer's gaps tell whether it was served well enough.
 */

import { schedulingCall, setScheduler } from './libc.ts';

const SCHED_FIFO = 1;
const ATTRIBUTE_BYTES = 48;
const NICEST = -20;
const SLICE_NS = 100_000n;

export type Granted = 'fifo' | 'nice' | 'slice' | 'normal';

/** Raises the priority of the calling thread and says what was granted. */
export function raisePriority(): Granted {
  const parameters = Buffer.alloc(4);
  parameters.writeInt32LE(10, 0);
  if (setScheduler(0, SCHED_FIFO, parameters) === 0) return 'fifo';
  if (askForSlice(NICEST)) return 'nice';
  if (askForSlice(0)) return 'slice';
  return 'normal';
}

function askForSlice(nice: number): boolean {
  const attributes = Buffer.alloc(ATTRIBUTE_BYTES);
  attributes.writeUInt32LE(ATTRIBUTE_BYTES, 0);
  attributes.writeInt32LE(nice, 16);
  attributes.writeBigUInt64LE(SLICE_NS, 24);
  return schedulingCall(attributes);
}
