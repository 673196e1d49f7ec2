/**
 * Whether what was acknowledged is there after all three members were killed at once,
 * in the middle of a load.
 *
 * A kill takes what a process held back, not what the kernel holds for it: this shows
 * that nobody answers before he has written, and that a restart finds everything.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { openClient } from '../clients/open-client.ts';
import { valueFor, type WriteClient } from '../clients/write-client.ts';
import type { LoadGenerator } from '../load/load-generator.ts';
import { keyOf, type Load } from '../load/load-words.ts';
import type { Cluster } from './cluster.ts';

export interface Durability {
  readonly acknowledged: number;
  readonly missing: number;
}

/** The load ends by itself if nobody kills the servers. */
const LOAD_MS_MAX = 30_000;
const PAGE = 200;

/** Loads the leader, kills all members after a while, restarts them and looks. */
export async function checkDurability(
  cluster: Cluster,
  generator: LoadGenerator,
  { killAfterMs, ...given }: Omit<Load, 'system' | 'port'> & { readonly killAfterMs: number },
): Promise<Durability> {
  const leader = await cluster.leader();
  const load = { ...given, system: cluster.system.name, port: leader.place.clientPort };
  const endured = generator.endure({ load, endMs: LOAD_MS_MAX });
  await delay(killAfterMs);
  await cluster.kill();
  const acknowledged = await endured;
  cluster.restart();
  const { place } = await cluster.leader();
  const client = openClient(cluster.system.name, place.clientPort);
  try {
    return await compare(client, load, acknowledged);
  } finally {
    client.close();
  }
}

async function compare(
  client: WriteClient,
  { prefix, valueBytes }: Load,
  acknowledged: readonly number[],
): Promise<Durability> {
  const expected = new Set(
    acknowledged.flatMap((count, at) =>
      Array.from({ length: count }, (_, write) => keyOf(prefix, at, write)),
    ),
  );
  const count = expected.size;
  let after = `${prefix}/`;
  for (;;) {
    const page = await client.list(after, PAGE);
    for (const { key, value } of page) {
      if (value.equals(valueFor(key, valueBytes))) expected.delete(key);
    }
    const last = page.at(-1)?.key;
    if (last === undefined) return { acknowledged: count, missing: expected.size };
    after = last;
  }
}
