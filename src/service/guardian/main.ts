/**
 * The guardian process: outlives the daemon just long enough to end its tenure.
 *
 * The daemon talks to it through file descriptor 3. When that ends, or brings what is
 * no word, the tenure ends at once and the process when nothing is held any more. It
 * does not heed signals that a terminal or an operator sends to everybody: the daemon
 * tells it when to end.
 */

import { Socket } from 'node:net';
import { raisePriority } from '../../platform/linux/priority.ts';
import { makeAddress } from '../address/make-address.ts';
import { runGuardian } from './process.ts';

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const) {
  process.on(signal, () => undefined);
}
// Its only reader is the daemon, which may be gone.
process.stderr.on('error', () => undefined);

// Only root is granted more; without it the guardian is as punctual as any other process.
raisePriority();

runGuardian(new Socket({ fd: 3 }), makeAddress);
