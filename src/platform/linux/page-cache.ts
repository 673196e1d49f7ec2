/** What the kernel keeps of files in memory. */

import { nativeFunction } from './libc.ts';

const fadviseCall = nativeFunction(
  'int posix_fadvise(int fd, int64_t from, int64_t bytes, int advice)',
);
const DONT_NEED = 4;

/**
 * Forgets what the kernel keeps of a file in memory, so that reading it reads the disk:
 * after a failed sync the two may differ. Only what is written is forgotten.
 */
export function forgetCached(fd: number): void {
  // Advice: where it can not be followed the memory is what there is to read.
  fadviseCall(fd, 0, 0, DONT_NEED);
}
