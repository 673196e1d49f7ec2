/**
 * Time without a leader, after the last one was killed, frozen, or its disk hung. Both
 * systems have the same election timeout and send as many heartbeats.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tableLines } from '../../../src/cli/table.ts';
import { median } from '../../measure/statistics.ts';
import {
  alternating,
  type Figures,
  type Report,
  ratioText,
  shown,
  type Workload,
} from '../../report/workload.ts';
import { Cluster, type System } from '../cluster/cluster.ts';
import { rivals } from '../cluster/rivals.ts';
import { StallingDisk } from './stalling-disk.ts';
import { type Fault, TAKEOVER_MS_MAX, takeoverMs } from './takeover.ts';

const TIMES = { electionMs: 1000, heartbeatMs: 100 };
const KINDS = ['killed', 'frozen', 'stalled'] as const;
export type FaultKind = (typeof KINDS)[number];

const BEFELL: Readonly<Record<FaultKind, string>> = {
  killed: 'killed (SIGKILL)',
  frozen: 'frozen (SIGSTOP)',
  stalled: 'its syncs hang',
};

interface Taken {
  readonly kind: FaultKind;
  readonly system: System;
  /** Undefined where nobody took over. */
  readonly ms: readonly (number | undefined)[];
}

export const failover: Workload = {
  name: 'failover',
  about: `time until a survivor commits a write, election timeout ${TIMES.electionMs} ms`,
  async run({ runs, folder, tell }) {
    const { systems, absence } = rivals();
    const directory = mkdtempSync(join(folder, 'mailraft-bench-'));
    try {
      const disk = StallingDisk.make(directory);
      const taken: Taken[] = [];
      for (const kind of KINDS) {
        if (kind === 'stalled' && typeof disk === 'string') continue;
        const ms = new Map<System, (number | undefined)[]>(systems.map((system) => [system, []]));
        for (let run = 0; run < runs; run += 1) {
          tell(`failover: leader ${kind}, run ${run + 1} of ${runs}`);
          for (const system of alternating(systems, run)) {
            const where = join(directory, `${kind}-${run}-${system.name}`);
            ms.get(system)?.push(await failOnce(system, kind, where, disk));
          }
        }
        taken.push(...[...ms].map(([system, all]) => ({ kind, system, ms: all })));
      }
      const notes = [absence, typeof disk === 'string' ? `no disk hangs: ${disk}` : undefined];
      return failoverReport(taken, notes);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

/** One fresh cluster, one fault. */
export async function failOnce(
  system: System,
  kind: FaultKind,
  directory: string,
  disk: StallingDisk | string,
): Promise<number | undefined> {
  const stalling = kind === 'stalled' && typeof disk !== 'string' ? disk : undefined;
  const cluster = await Cluster.start(system, {
    directory,
    times: TIMES,
    ...(stalling === undefined ? {} : { wrap: (program, { id }) => stalling.wrap(program, id) }),
  });
  const inflict = ({ leader }: Fault): void => {
    if (kind === 'stalled') stalling?.stall(leader.place.id);
    else leader.process.signal(kind === 'killed' ? 'SIGKILL' : 'SIGSTOP');
  };
  try {
    return await takeoverMs(cluster, inflict);
  } finally {
    for (const { place } of cluster.members) stalling?.goOn(place.id);
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function failoverReport(taken: readonly Taken[], notes: readonly (string | undefined)[]): Report {
  const rows = [['leader', 'system', 'median ms', 'max ms', 'within two timeouts', 'ratio']];
  const figures: Figures[] = [];
  for (const { kind, system, ms } of taken) {
    const own = timesOf(ms);
    const peer = taken.find((other) => other.kind === kind && other.system !== system);
    const ratio = peer === undefined ? undefined : timesOf(peer.ms).medianMs / own.medianMs;
    const inTime = own.all.filter((one) => one <= 2 * TIMES.electionMs).length;
    rows.push([
      BEFELL[kind],
      `${system.name} ${system.version}`,
      shownMs(own.medianMs),
      shownMs(own.maxMs),
      `${inTime} of ${ms.length}`,
      ...(system.name === 'mailraft' && ratio !== undefined ? [ratioText(ratio)] : []),
    ]);
    figures.push({
      workload: 'failover',
      system: system.name,
      leader: kind,
      medianMs: Math.round(own.medianMs),
      maxMs: Math.round(own.maxMs),
      takenOver: ms.filter((one) => one !== undefined).length,
      inTime,
      runs: own.all.map(Math.round),
      ...(ratio === undefined ? {} : { ratio }),
    });
  }
  const said = notes.filter((note) => note !== undefined);
  return { figures, lines: [...tableLines(rows), ...said], broken: [] };
}

/** Where nobody took over the time is that after which nobody waited any more. */
function timesOf(ms: readonly (number | undefined)[]): {
  readonly all: readonly number[];
  readonly medianMs: number;
  readonly maxMs: number;
} {
  const all = ms.map((one) => one ?? TAKEOVER_MS_MAX);
  return { all, medianMs: median(all), maxMs: Math.max(...all) };
}

function shownMs(ms: number): string {
  return ms >= TAKEOVER_MS_MAX ? `not in ${TAKEOVER_MS_MAX / 1000} s` : shown(Math.round(ms));
}
