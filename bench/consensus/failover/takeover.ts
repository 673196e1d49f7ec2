/**
 * How long a group has no leader that takes writes, after something befell the last one.
 *
 * Writes are tried at the survivors every few milliseconds, over connections that were
 * there before; the first that was begun after the fault and is answered ends it.
 */

import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { openClient } from '../clients/open-client.ts';
import { valueFor, type WriteClient } from '../clients/write-client.ts';
import type { Cluster, ClusterMember } from '../cluster/cluster.ts';

const TRY_EVERY_MS = 10;
const VALUE_BYTES = 64;
/** The group has been at work for so long, and a random while more. */
const SETTLE_MS = 1000;
const PHASE_MS = 300;
/** Who has not taken over by then does not. */
export const TAKEOVER_MS_MAX = 10_000;

export interface Fault {
  readonly leader: ClusterMember;
  readonly survivors: readonly ClusterMember[];
}

/** @returns ms until the next write was committed, undefined when none was in time */
export async function takeoverMs(
  cluster: Cluster,
  inflict: (fault: Fault) => void,
): Promise<number | undefined> {
  const leader = await cluster.leader();
  const survivors = cluster.members.filter((member) => member !== leader);
  const open = ({ place }: ClusterMember): WriteClient =>
    openClient(cluster.system.name, place.clientPort);
  const [old, clients] = [open(leader), survivors.map(open)];
  // Without writes to the old leader there is nothing that its disk could hang on.
  const load = new Attempts('load', [old], () => undefined);
  try {
    await delay(SETTLE_MS + randomInt(PHASE_MS));
    return await new Promise((resolve) => {
      const faultAtMs = performance.now();
      inflict({ leader, survivors });
      const attempts = new Attempts('after', clients, () => end(performance.now() - faultAtMs));
      const end = (ms: number | undefined): void => {
        clearTimeout(limit);
        attempts.stop();
        resolve(ms);
      };
      const limit = setTimeout(() => end(undefined), TAKEOVER_MS_MAX);
    });
  } finally {
    load.stop();
    for (const client of [old, ...clients]) client.close();
  }
}

/** Begins a write at each client every few milliseconds, whatever became of those before. */
class Attempts {
  readonly #timer: NodeJS.Timeout;
  #count = 0;

  constructor(prefix: string, clients: readonly WriteClient[], onSuccess: () => void) {
    this.#timer = setInterval(() => {
      for (const client of clients) {
        this.#count += 1;
        const key = `${prefix}/${this.#count}`;
        client.put(key, valueFor(key, VALUE_BYTES), (error) => {
          if (error === undefined) onSuccess();
        });
      }
    }, TRY_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
