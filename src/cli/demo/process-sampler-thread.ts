/**
 * The sampler's own thread: looks at /proc every period and sleeps in between, with no
 * event loop that anything else could keep busy.
 */

import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { assert, systemCode } from '../../errors.ts';
import { SAMPLES, type SamplerThreadData, STOP } from './process-sampler-cells.ts';
import { ProcessScan } from './process-scan.ts';
import { ProcessTimeline } from './process-timeline.ts';

/** As far as an ordinary administrator's process goes; below zero comes first. */
const PRIORITY = -10;

function run({ scan: options, periodMs, shared }: SamplerThreadData): void {
  assert(parentPort !== null, 'the sampler runs in a thread of its own');
  const cells = new Int32Array(shared);
  const scan = new ProcessScan(options);
  const timeline = new ProcessTimeline();
  preferThisThread();
  while (Atomics.load(cells, STOP) === 0) {
    const beganMs = nowMs();
    timeline.add(beganMs, scan.look());
    Atomics.store(cells, SAMPLES, timeline.samples);
    Atomics.wait(cells, STOP, 0, Math.max(0, periodMs - (nowMs() - beganMs)));
  }
  parentPort.postMessage(timeline.result(nowMs()));
}

/** On Linux this sets the calling thread alone. Without the right to do so it goes on as it is. */
function preferThisThread(): void {
  try {
    setPriority(PRIORITY);
  } catch (error) {
    if (systemCode(error) !== 'ERR_SYSTEM_ERROR') throw error;
  }
}

/** The monotonic clock, read here and not through anything that is being observed. */
function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

run(workerData as SamplerThreadData);
