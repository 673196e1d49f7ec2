/**
 * Gathers the evidence of a run that is over: walks the real trees, asks every node for
 * its salvage and its tree hash, and has it all judged together with what the witnesses
 * saw meanwhile.
 */

import type { SalvageEntry } from '../../net/http/node-port.ts';
import type { DemoCluster } from './demo-cluster.ts';
import type { SamplerResult } from './process-timeline.ts';
import type { Ledger } from './smtp-ledger.ts';
import { walkTree } from './tree-walk.ts';
import { judge, type KillRecord, type SalvagedFile, type Verdict } from './verdict.ts';
import type { BarrierRecord } from './verdict-coverage.ts';

/** What was seen while the run went on; times are on the machine's monotonic clock. */
export interface RunRecords {
  readonly ledger: Ledger;
  readonly barriers: readonly BarrierRecord[];
  readonly kills: readonly KillRecord[];
  readonly switchovers: readonly { readonly atMs: number }[];
  readonly services: SamplerResult;
  readonly messagesMin: number;
}

/** The nodes must run and have nothing more to do. */
export async function prove(cluster: DemoCluster, records: RunRecords): Promise<Verdict> {
  const trees = [];
  for (const { id, volume } of cluster.layout.nodes) {
    trees.push({ node: id, tree: await walkTree(volume) });
  }
  const statuses = await cluster.statuses();
  return judge({
    answered: records.ledger.answered,
    barriers: records.barriers,
    kills: records.kills,
    switchovers: records.switchovers,
    services: records.services,
    minMessages: records.messagesMin,
    trees,
    salvage: await gatherSalvage(cluster),
    treeHashes: statuses.flatMap(({ node, volumes }) =>
      volumes.map(({ treeHash, treeHashIndex }) => ({
        ...{ node, hash: treeHash, index: treeHashIndex },
      })),
    ),
  });
}

/** A node that does not answer lists nothing: what only it has counts as lost. */
async function gatherSalvage(cluster: DemoCluster): Promise<SalvagedFile[]> {
  const files: SalvagedFile[] = [];
  for (const client of cluster.clients) {
    const entries = (await client.get<readonly SalvageEntry[]>('/v1/salvage')) ?? [];
    for (const entry of entries) {
      files.push(
        ...entry.files.map(({ path, sha256 }) => ({ node: client.id, path, digest: sha256 })),
      );
    }
  }
  return files;
}
