/**
 * A cluster that serves, a client that delivers mail all the time, and the observer.
 *
 * A test disturbs the primary; the scene waits for what has to follow, and proves that
 * no answered mail is gone: by a barrier at the new primary for what the disturbance
 * may have cost, and by walking the real trees once the load has ended.
 */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AnsweredMessage, Ledger } from '../../src/cli/demo/smtp-ledger.ts';
import { compareTrees } from '../../src/cli/demo/tree-compare.ts';
import { walkTree } from '../../src/cli/demo/tree-walk.ts';
import type { SalvageEntry } from '../../src/net/http/node-port.ts';
import { LabCluster, type LabClusterOptions } from './cluster.ts';
import { MailLoad } from './mail-load.ts';
import { isPrimary, isWhole } from './node-status.ts';
import type { ObserverClient } from './observer-client.ts';
import { until } from './until.ts';

/** Where the example mail server keeps complete messages, below its volume. */
const MESSAGES = 'new';
const LOG_LINES = 15;
const BARRIER_MS = 20_000;
const LOOK = { timeoutMs: 30_000, everyMs: 50 } as const;

/** Where answered messages were found. */
export interface Whereabouts {
  readonly everywhere: readonly AnsweredMessage[];
  /** Not on every node, but kept in salvage. */
  readonly salvaged: readonly AnsweredMessage[];
  /** Neither. */
  readonly lost: readonly AnsweredMessage[];
}

export class FailoverScene {
  readonly cluster: LabCluster;
  readonly observer: ObserverClient;
  readonly load: MailLoad;
  /** Digests of complete messages by node and file name: such a file never changes. */
  readonly #digests = new Map<string, string>();

  private constructor(cluster: LabCluster, observer: ObserverClient, load: MailLoad) {
    this.cluster = cluster;
    this.observer = observer;
    this.load = load;
  }

  /** Resolves when a primary serves, all are in sync and mail is being answered. */
  static async set(options: LabClusterOptions = {}): Promise<FailoverScene> {
    const cluster = await LabCluster.up(options);
    try {
      const observer = await cluster.observe();
      cluster.startAll();
      await cluster.untilPrimary();
      await cluster.untilInSync();
      const load = await MailLoad.start(cluster.network);
      await load.more(20);
      return new FailoverScene(cluster, observer, load);
    } catch (error) {
      await cluster.down();
      throw error;
    }
  }

  /** Resolves with the node that serves, looking only at those that are not `without`. */
  untilServing(without: string): Promise<string> {
    const others = this.cluster.nodes.filter((id) => id !== without);
    const look = async () => (await this.cluster.statuses(others)).find(isPrimary)?.node;
    return until(`a node other than ${without} serves`, look, LOOK);
  }

  /** Resolves when a node is a secondary that lacks nothing it knows of. */
  async untilRejoined(id: string): Promise<void> {
    await until(
      `${id} is a secondary again`,
      async () => {
        const status = await this.cluster.status(id);
        return status?.role === 'secondary' && isWhole(status);
      },
      LOOK,
    );
  }

  /** What was answered so far; when this resolves, all of it is committed. */
  async barrier(
    primary: string,
  ): Promise<{ readonly covered: readonly AnsweredMessage[]; readonly index: number }> {
    const covered = [...this.load.answered];
    const { status, body } = await this.cluster.call(primary, {
      method: 'POST',
      path: `/v1/barrier?wait=${BARRIER_MS}ms`,
      headers: { 'content-type': 'application/json' },
      body: '{}',
      timeoutMs: BARRIER_MS,
    });
    const operation = JSON.parse(body) as { readonly result?: { readonly index: number } };
    if (status !== 200 || operation.result === undefined) {
      throw new Error(`asked for a barrier, ${primary} answered ${status} ${body}`);
    }
    return { covered, index: operation.result.index };
  }

  /**
   * Where everything is that was answered up to this call.
   *
   * A barrier at the primary covers it; then every node has to come as far.
   */
  async whereabouts(primary: string): Promise<Whereabouts> {
    const { covered, index } = await this.barrier(primary);
    const { nodes } = this.cluster;
    await until(
      `all nodes have everything up to ${index}`,
      async () => {
        const statuses = await this.cluster.statuses();
        const level = statuses.filter((one) => isWhole(one) && one.raft.appliedIndex >= index);
        return level.length === nodes.length;
      },
      LOOK,
    );
    return this.find(covered);
  }

  /** Ends the load; resolves with its account when all nodes are in sync. */
  async rest(): Promise<Ledger> {
    const account = await this.load.stop();
    await this.cluster.untilInSync();
    return account;
  }

  /** Where these messages are at this moment. */
  async find(answered: readonly AnsweredMessage[]): Promise<Whereabouts> {
    const onNodes = this.cluster.nodes.map((id) => this.#digestsOn(id));
    const inSalvage = await this.#digestsInSalvage();
    const isEverywhere = ({ digest }: AnsweredMessage) => onNodes.every((on) => on.has(digest));
    const others = answered.filter((message) => !isEverywhere(message));
    return {
      everywhere: answered.filter(isEverywhere),
      salvaged: others.filter(({ digest }) => inSalvage.has(digest)),
      lost: others.filter(({ digest }) => !inSalvage.has(digest)),
    };
  }

  /** The first differences between the real trees, in words; none when they are equal. */
  async differences(): Promise<readonly string[]> {
    const { nodes } = this.cluster;
    const trees = await Promise.all(nodes.map((id) => walkTree(this.cluster.pathsOf(id).volume)));
    return trees.flatMap((tree, index) => {
      const { texts } = compareTrees(trees[0] ?? tree, tree);
      return texts.map((text) => `${nodes[0]} and ${nodes[index]}: ${text}`);
    });
  }

  /** The last that each node has logged, for a run that went wrong. */
  logTails(): string[] {
    return this.cluster.nodes.flatMap((id) => {
      const lines = this.cluster.logOf(id).trimEnd().split('\n').slice(-LOG_LINES);
      return lines.map((line) => `${id}: ${line}`);
    });
  }

  down(): Promise<void> {
    return this.cluster.down();
  }

  #digestsOn(id: string): ReadonlySet<string> {
    const folder = join(this.cluster.pathsOf(id).volume, MESSAGES);
    return new Set(readdirSync(folder).map((name) => this.#digestOf(join(folder, name))));
  }

  #digestOf(path: string): string {
    const known = this.#digests.get(path);
    if (known !== undefined) return known;
    const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
    this.#digests.set(path, digest);
    return digest;
  }

  async #digestsInSalvage(): Promise<ReadonlySet<string>> {
    const digests = new Set<string>();
    for (const id of this.cluster.nodes) {
      const { status, body } = await this.cluster.call(id, { path: '/v1/salvage' });
      if (status !== 200)
        throw new Error(`asked for its salvage, ${id} answered ${status} ${body}`);
      const entries = JSON.parse(body) as readonly SalvageEntry[];
      for (const { files } of entries) for (const { sha256 } of files) digests.add(sha256);
    }
    return digests;
  }
}
