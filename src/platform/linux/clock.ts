/**
 * The machine's clocks. Deadlines are kept on the one that counts while the machine
 * sleeps (CLOCK_BOOTTIME), which Node's own timers do not read (safety rule 8).
 */

import { readFileSync } from 'node:fs';
import { checked, nativeFunction } from './libc.ts';

const clockGettime = nativeFunction('int clock_gettime(int clock, uint8_t *time)');

const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const CLOCK_BOOTTIME = 7;

const time = Buffer.alloc(16);

function read(clock: number): number {
  checked(clockGettime(clock, time), 'clock_gettime', () => `${clock}`);
  return Number(time.readBigInt64LE(0)) * 1000 + Number(time.readBigInt64LE(8)) / 1e6;
}

/** Milliseconds since the machine started, time asleep included. */
export function bootTimeMs(): number {
  return read(CLOCK_BOOTTIME);
}

/** Milliseconds since the machine started, time asleep left out. */
export function monotonicMs(): number {
  return read(CLOCK_MONOTONIC);
}

/** Milliseconds of the wall clock since 1970. */
export function wallMs(): number {
  return read(CLOCK_REALTIME);
}

/** Names this run of the machine; another one after each start. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
