/** A cluster of real daemons whose nodes a test prepares, and what it asks of them. */

import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { parse, stringify } from 'yaml';
import { areInSync, standingOf } from '../../src/cli/demo/cluster-sync.ts';
import { DemoCluster } from '../../src/cli/demo/demo-cluster.ts';
import { compareTrees } from '../../src/cli/demo/tree-compare.ts';
import { walkTree } from '../../src/cli/demo/tree-walk.ts';
import type { ClusterReport, SalvageEntry, StatusReport } from '../../src/net/http/node-port.ts';
import { until } from '../support/until.ts';

const START_MS_MAX = 60_000;
const LOOK_EVERY_MS = 100;
const LOG_LINES = 15;

/** Three nodes with configurations and empty volumes; closed with everything at the end. */
export async function clusterFor(t: Test): Promise<DemoCluster> {
  const cluster = await DemoCluster.create();
  t.teardown(async () => {
    if (!t.passing()) {
      for (const { id, lines } of await cluster.logTails(LOG_LINES)) {
        for (const line of lines) t.comment(`${id} ${line}`);
      }
    }
    await cluster.close(false);
  });
  return cluster;
}

/** What tests change of a configuration. */
interface ConfigDraft {
  readonly members: { readonly id: string; address: string }[];
  journal: { maxSize: string };
}

/** Changes what the configuration of one node says. */
export async function reconfigure(
  cluster: DemoCluster,
  id: string,
  change: (config: ConfigDraft) => void,
): Promise<void> {
  const { configFile } = cluster.node(id);
  const config = parse(await readFile(configFile, 'utf8'));
  change(config);
  await writeFile(configFile, stringify(config));
}

/** Takes a node's data directory from it; the answer gives it back. Its daemon must be dead. */
export async function wipe(cluster: DemoCluster, id: string): Promise<() => Promise<void>> {
  const { dataDir } = cluster.node(id);
  await rename(dataDir, `${dataDir}.aside`);
  return async () => {
    await rm(dataDir, { recursive: true, force: true });
    await rename(`${dataDir}.aside`, dataDir);
  };
}

/** Waits until one of the nodes serves. */
export async function untilServing(
  cluster: DemoCluster,
  isWanted: (id: string) => boolean = () => true,
): Promise<string> {
  let primary: string | undefined;
  await until(
    async () => {
      await pause(cluster);
      primary = await cluster.primary();
      return primary !== undefined && isWanted(primary);
    },
    'a node to serve',
    START_MS_MAX,
  );
  return primary ?? '';
}

/** Waits until these nodes have the same files and nothing under way. */
export async function untilInSync(cluster: DemoCluster, ids = cluster.ids): Promise<void> {
  let statuses: StatusReport[] = [];
  const isReached = async (): Promise<boolean> => {
    await pause(cluster);
    statuses = (await cluster.statuses()).filter(({ node }) => ids.includes(node));
    const areMembers = statuses.every(({ role }) => role === 'primary' || role === 'secondary');
    return statuses.length === ids.length && areMembers && areInSync(statuses);
  };
  await until(isReached, () => statuses.map(standingOf).join('\n'), START_MS_MAX);
}

/** Waits until the report of a node is as wanted, and returns it. */
export async function untilStatus(
  cluster: DemoCluster,
  id: string,
  isReached: (status: StatusReport) => boolean,
): Promise<StatusReport> {
  let last: StatusReport | undefined;
  const look = async (): Promise<boolean> => {
    await pause(cluster);
    last = await cluster.status(id);
    return last !== undefined && isReached(last);
  };
  await until(look, () => `${id} is ${last && standingOf(last)}`, START_MS_MAX);
  return last as StatusReport;
}

/** Where the trees of these nodes differ from that of the first, by a walk over the disks. */
export async function treeDifferences(
  cluster: DemoCluster,
  ids = cluster.ids,
): Promise<readonly string[]> {
  const [first, ...others] = await Promise.all(
    ids.map(async (id) => ({ id, tree: await walkTree(cluster.node(id).volume) })),
  );
  if (first === undefined) return [];
  return others.flatMap(({ id, tree }) =>
    compareTrees(first.tree, tree).texts.map((text) => `${first.id} ${id} ${text}`),
  );
}

export async function memberOf(
  cluster: DemoCluster,
  askedAt: string,
  id: string,
): Promise<ClusterReport['members'][number] | undefined> {
  const report = await cluster.client(askedAt).get<ClusterReport>('/cluster');
  return report?.members.find((member) => member.id === id);
}

export async function salvageOf(cluster: DemoCluster, id: string): Promise<SalvageEntry['files']> {
  const kept = await cluster.client(id).get<readonly SalvageEntry[]>('/v1/salvage');
  return (kept ?? []).flatMap(({ files }) => files);
}

/** Status and lines of `GET /readyz`. */
export async function readiness(
  cluster: DemoCluster,
  id: string,
): Promise<{ status: number; text: string }> {
  const response = await fetch(`${cluster.client(id).url}/readyz`);
  return { status: response.status, text: await response.text() };
}

/** Before each look: nodes that are asked all the time have time for nothing else. */
async function pause({ failure }: DemoCluster): Promise<void> {
  if (failure !== undefined) throw failure;
  await delay(LOOK_EVERY_MS);
}
