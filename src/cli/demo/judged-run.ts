/** A script that was played to its end, made into a result: the proof and the figures. */

import type { DemoCluster } from './demo-cluster.ts';
import { type Absence, lagsOf, percentile } from './lag-watch.ts';
import { prove } from './proof.ts';
import type { JudgedRun, MailFigures, Percentiles, RunEvent } from './run-result.ts';
import type { RunWitnesses } from './run-witnesses.ts';
import type { Ledger } from './smtp-ledger.ts';
import type { KillRecord, Verdict } from './verdict.ts';
import { serviceSpans } from './verdict-coverage.ts';

/** What was done, on the machine's monotonic clock. */
export interface ScriptEvent {
  readonly what: string;
  readonly atMs: number;
  readonly kill: KillRecord | undefined;
}

/** What the script did; times are on the machine's monotonic clock. */
export interface ScriptRecords {
  readonly beganAtMs: number;
  readonly events: readonly ScriptEvent[];
  readonly switchovers: readonly { readonly atMs: number }[];
  readonly absences: readonly Absence[];
  readonly complaints: readonly string[];
  readonly messagesMin: number;
}

/** Load and barriers have ended; all else that watches ends here. */
export async function judgedRun(
  cluster: DemoCluster,
  witnesses: RunWitnesses,
  script: ScriptRecords,
): Promise<Omit<JudgedRun, 'tookMs'>> {
  const ledger = await witnesses.stopLoad();
  const sightings = await witnesses.stopLag();
  const services = await witnesses.stopSampler();
  const barriers = witnesses.barriers.records;
  const { switchovers, messagesMin, beganAtMs } = script;
  const kills = script.events.flatMap(({ kill }) => (kill === undefined ? [] : [kill]));
  const records = { ledger, barriers, kills, switchovers, services, messagesMin };
  const verdict = await prove(cluster, records);
  const answered = barriers.filter(({ ok }) => ok);
  return {
    kind: 'judged',
    verdict,
    complaints: [...script.complaints, ...complaintsOf(ledger)],
    events: eventsOf(script, witnesses, verdict),
    served: serviceSpans(services.intervals).map(({ node, startMs, endMs }) => ({
      ...{ node, startMs: startMs - beganAtMs, endMs: endMs - beganAtMs },
    })),
    mail: mailFigures(ledger),
    lag: percentilesOf(lagsOf(sightings, script.absences)),
    barriers: percentilesOf(
      answered.map(({ requestedAtMs, answeredAtMs }) => answeredAtMs - requestedAtMs),
    ),
    failedBarriers: barriers.length - answered.length,
  };
}

function eventsOf(
  { events, beganAtMs }: ScriptRecords,
  { load }: RunWitnesses,
  { figures }: Verdict,
): RunEvent[] {
  return events.map(({ what, atMs, kill }, index) => ({
    what,
    atMs: atMs - beganAtMs,
    outageMs: load.outage(atMs, events[index + 1]?.atMs)?.gapMs,
    figures: figures.kills.find((each) => each.atMs === kill?.atMs),
  }));
}

function complaintsOf({ refusedCount, forgottenCount }: Ledger): string[] {
  const complaints: string[] = [];
  if (refusedCount > 0) complaints.push(`the service refused ${refusedCount} messages for good`);
  if (forgottenCount > 0) complaints.push(`the ledger forgot ${forgottenCount} messages`);
  return complaints;
}

function mailFigures({ answered, unknown }: Ledger): MailFigures {
  return {
    bytes: answered.reduce((sum, { bytes }) => sum + bytes, 0),
    largestBytes: answered.reduce((largest, { bytes }) => Math.max(largest, bytes), 0),
    unknown: unknown.length,
  };
}

function percentilesOf(values: readonly number[]): Percentiles | undefined {
  if (values.length === 0) return undefined;
  const [p50Ms, p99Ms] = [percentile(values, 0.5), percentile(values, 0.99)];
  return { count: values.length, p50Ms, p99Ms };
}
