/** The thread of `kill-timer.ts`: waits, looks at the clock, kills. */

import { parentPort, workerData } from 'node:worker_threads';
import { bootTimeMs } from '../../platform/linux/clock.ts';
import { sendSignal } from '../../platform/linux/processes.ts';
import { CELL_AT_MS, CELL_CHANGES, CELL_GROUP } from './kill-timer.ts';

/** A wait does not count the time that the machine sleeps: so it is never long. */
const WAIT_MS_MAX = 20;

function watch(cells: BigInt64Array): never {
  for (;;) {
    const changes = Atomics.load(cells, CELL_CHANGES);
    const group = Number(Atomics.load(cells, CELL_GROUP));
    const atMs = Number(Atomics.load(cells, CELL_AT_MS));
    const isSame = Atomics.load(cells, CELL_GROUP) === BigInt(group);
    if (group > 0 && isSame && bootTimeMs() >= atMs) sendSignal(-group, 'SIGKILL');
    Atomics.wait(cells, CELL_CHANGES, changes, group > 0 ? WAIT_MS_MAX : undefined);
  }
}

parentPort?.postMessage('watching');
watch(workerData as BigInt64Array);
