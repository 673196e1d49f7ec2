/** The load generator's process: one load after the other, as it is told. */

import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../../src/errors.ts';
import { cpuSeconds } from '../../measure/cpu-time.ts';
import { percentile } from '../../measure/statistics.ts';
import { ClosedLoop } from './closed-loop.ts';
import type { FromGenerator, Measured, ToGenerator } from './load-words.ts';

process.on('message', (word: ToGenerator) => {
  const answer = word.kind === 'measure' ? measure(word) : endure(word);
  void answer
    .catch((error): FromGenerator => ({ kind: 'failed', message: messageOf(error) }))
    .then((said) => process.send?.(said));
});
// Nobody is left to tell.
process.on('disconnect', () => process.exit());

async function measure({
  load,
  warmUpMs,
  measureMs,
  serverPids,
}: Extract<ToGenerator, { kind: 'measure' }>): Promise<FromGenerator> {
  const latencies: number[] = [];
  let isMeasuring = false;
  let failure: Error | undefined;
  const loop = new ClosedLoop(load, {
    onAnswer: (_client, ms) => {
      if (isMeasuring) latencies.push(ms);
    },
    onFailure: (_client, error) => {
      failure ??= error;
    },
  });
  await delay(warmUpMs);
  const before = { atMs: performance.now(), ...cpuOf(serverPids) };
  isMeasuring = true;
  await delay(measureMs);
  isMeasuring = false;
  const after = { atMs: performance.now(), ...cpuOf(serverPids) };
  loop.stop();
  if (failure !== undefined) throw failure;
  const measured: Measured = {
    commits: latencies.length,
    seconds: (after.atMs - before.atMs) / 1000,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    serverCpuSeconds: after.servers - before.servers,
    generatorCpuSeconds: after.generator - before.generator,
  };
  return { kind: 'measured', measured };
}

function cpuOf(serverPids: readonly number[]): { servers: number; generator: number } {
  return { servers: cpuSeconds(serverPids), generator: cpuSeconds([process.pid]) };
}

async function endure({
  load,
  endMs,
}: Extract<ToGenerator, { kind: 'endure' }>): Promise<FromGenerator> {
  const acknowledged = new Array<number>(load.clients).fill(0);
  let running = load.clients;
  const ended = new AbortController();
  const loop = new ClosedLoop(load, {
    onAnswer: (client) => {
      acknowledged[client] = (acknowledged[client] ?? 0) + 1;
    },
    onFailure: () => {
      running -= 1;
      if (running === 0) ended.abort();
    },
  });
  await delay(endMs, undefined, { signal: ended.signal }).catch(() => undefined);
  loop.stop();
  return { kind: 'endured', acknowledged };
}
