/**
 * Three processes on loopback with a real disk, loaded by a process of its own.
 *
 * Each run starts a fresh cluster of each system, in turns, and takes every figure on
 * it. On a machine that the generator shares with the servers throughput says how much
 * all of them cost together: what counts is the latency of one client, and what a
 * commit costs the servers.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { alternating, type RunOptions, type Workload } from '../../report/workload.ts';
import { LoadGenerator } from '../load/load-generator.ts';
import type { Measured } from '../load/load-words.ts';
import { Cluster, type System } from './cluster.ts';
import { type CellResult, clusterReport } from './cluster-report.ts';
import { checkDurability, type Durability } from './durability.ts';
import { rivals } from './rivals.ts';

export const CLIENT_COUNTS: readonly number[] = [1, 16, 64, 256];
export const VALUE_BYTES: readonly number[] = [256, 4096];
const TIMES = { electionMs: 1000, heartbeatMs: 100 };
/** Before anything is measured: compilers, caches and connections settle. */
const SETTLE_MS = 8000;
const SETTLE_CLIENTS = 64;
const WARM_UP_MS = 500;
const MEASURE_MS = 3000;
const DURABILITY = { clients: 64, valueBytes: 256, prefix: 'kill', killAfterMs: 2000 };

export const cluster: Workload = {
  name: 'cluster',
  about: 'three processes on loopback, every commit synced, load from a process of its own',
  async run(options) {
    const { systems, absence } = rivals();
    const cells: CellResult[] = [];
    const durability = new Map<System, Durability[]>(systems.map((system) => [system, []]));
    for (let run = 0; run < options.runs; run += 1) {
      for (const system of alternating(systems, run)) {
        options.tell(`cluster: run ${run + 1} of ${options.runs}, ${system.name}`);
        const result = await measure(system, options);
        cells.push(...result.cells);
        durability.get(system)?.push(result.durability);
      }
    }
    return clusterReport(cells, durability, absence);
  },
};

async function measure(
  system: System,
  { folder }: RunOptions,
): Promise<{ readonly cells: readonly CellResult[]; readonly durability: Durability }> {
  const directory = mkdtempSync(join(folder, 'mailraft-bench-'));
  const generator = new LoadGenerator();
  const cluster = await Cluster.start(system, { directory, times: TIMES });
  try {
    await take(cluster, generator, SETTLE_CLIENTS, { valueBytes: 256, forMs: SETTLE_MS });
    const cells: CellResult[] = [];
    for (const valueBytes of VALUE_BYTES) {
      for (const clients of CLIENT_COUNTS) {
        const measured = await take(cluster, generator, clients, { valueBytes, forMs: MEASURE_MS });
        cells.push({ system: system.name, valueBytes, clients, measured });
      }
    }
    return { cells, durability: await checkDurability(cluster, generator, DURABILITY) };
  } finally {
    await generator.stop();
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function take(
  cluster: Cluster,
  generator: LoadGenerator,
  clients: number,
  { valueBytes, forMs }: { readonly valueBytes: number; readonly forMs: number },
): Promise<Measured> {
  const { place } = await cluster.leader();
  const prefix = `${valueBytes}-${clients}-${forMs}`;
  const load = { system: cluster.system.name, port: place.clientPort, clients, valueBytes, prefix };
  const times = { warmUpMs: WARM_UP_MS, measureMs: forMs };
  return await generator.measure({ load, ...times, serverPids: cluster.pids });
}
