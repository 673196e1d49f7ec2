/**
 * Commits per second of the bare cores: three members in one process, no disk, no
 * network. The same loop drives both, in turns, in the same process.
 */

import { tableLines } from '../../../src/cli/table.ts';
import { median } from '../../measure/statistics.ts';
import {
  alternating,
  type Figures,
  ratioText,
  shown,
  type Workload,
} from '../../report/workload.ts';
import { CoatyGroup } from './coaty-group.ts';
import { type CoreGroup, PAYLOAD_BYTES } from './core-group.ts';
import { MailraftGroup } from './mailraft-group.ts';

const PEER = '@coaty/consensus.raft';
const BATCHES: readonly number[] = [1, 16, 64, 256];
/** Long enough for the compiler to have done its best. */
const WARM_UP_MS = 500;
const MEASURE_MS = 1000;

export interface CoreTimes {
  readonly warmUpMs: number;
  readonly measureMs: number;
}

const SIDES = [
  { system: 'mailraft', make: (): CoreGroup => new MailraftGroup() },
  { system: PEER, make: (): CoreGroup => new CoatyGroup() },
];

/** Commits per second with so many entries proposed at once. */
export function commitsPerSecond(group: CoreGroup, batch: number, times: CoreTimes): number {
  work(group, batch, times.warmUpMs);
  const before = group.committed;
  const seconds = work(group, batch, times.measureMs);
  return (group.committed - before) / seconds;
}

/** @returns for how many seconds it worked */
function work(group: CoreGroup, batch: number, forMs: number): number {
  const begunAtMs = performance.now();
  let nowMs = begunAtMs;
  do {
    group.commit(batch);
    nowMs = performance.now();
  } while (nowMs < begunAtMs + forMs);
  return (nowMs - begunAtMs) / 1000;
}

export const core: Workload = {
  name: 'core',
  about: `three cores in one process, entries of ${PAYLOAD_BYTES} bytes, no disk, no network`,
  async run({ runs, tell }) {
    const figures: Figures[] = [];
    const rows = [['batch', 'mailraft commits/s', `${PEER} commits/s`, 'ratio']];
    for (const batch of BATCHES) {
      const rates = takeRates(batch, runs);
      const [own = 0, peer = 0] = SIDES.map(({ system }) => median(rates.get(system) ?? []));
      const ratio = own / peer;
      for (const { system } of SIDES) {
        const all = (rates.get(system) ?? []).map(Math.round);
        const commitsPerS = median(all);
        figures.push({ workload: 'core', system, batch, commitsPerS, ratio, runs: all });
      }
      rows.push([String(batch), shown(own), shown(peer), ratioText(ratio)]);
      tell(`core: batch ${batch} done`);
    }
    return { figures, lines: tableLines(rows), broken: [] };
  },
};

function takeRates(batch: number, runs: number): ReadonlyMap<string, number[]> {
  const rates = new Map<string, number[]>(SIDES.map(({ system }) => [system, []]));
  const times = { warmUpMs: WARM_UP_MS, measureMs: MEASURE_MS };
  for (let run = 0; run < runs; run += 1) {
    for (const { system, make } of alternating(SIDES, run)) {
      rates.get(system)?.push(commitsPerSecond(make(), batch, times));
    }
  }
  return rates;
}
