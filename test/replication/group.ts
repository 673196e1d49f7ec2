/**
 * Replicators of several nodes around one log that the test holds in its hands: what
 * is proposed is appended, what the test commits is delivered to whoever it says.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { compareTrees } from '../../src/cli/demo/tree-compare.ts';
import { walkTree } from '../../src/cli/demo/tree-walk.ts';
import { MailraftError } from '../../src/errors.ts';
import { encodeDecree } from '../../src/replication/command/codec.ts';
import type { Decree } from '../../src/replication/command/decree.ts';
import type { ReplicationEvent, ReplicationPort } from '../../src/replication/parts.ts';
import { Replicator } from '../../src/replication/replicator.ts';
import { ReplicationThread } from '../../src/replication/thread/replication-thread.ts';
import type { Scratch } from '../support/scratch.ts';
import { until } from '../support/until.ts';

interface LogEntry {
  readonly index: number;
  readonly term: number;
  readonly data: Buffer | undefined;
  readonly from: { readonly node: string; readonly sequence: number } | undefined;
}

/** Where the replicators run: in the test's own thread, or each in one of its own. */
export type Hosting = 'in process' | 'in threads';

export class GroupNode {
  readonly name: string;
  readonly path: string;
  /** May be on another file system than the rest. */
  dataDir: string;
  readonly events: ReplicationEvent[] = [];
  replicator: Replicator | ReplicationThread | undefined;
  delivered = 0;
  applied = 0;
  isCut = false;
  /** Failures that the test expects are collected, others are thrown. */
  failures: Error[] | undefined;
  journalBytesMax = 1_000_000;
  /** The first entry that its journal still has. */
  journalFrom = 1;
  readonly tails: { name: string; commands: Buffer[] }[] = [];
  readonly #group: Group;

  constructor(group: Group, name: string, path: string) {
    this.#group = group;
    this.name = name;
    this.path = path;
    this.dataDir = join(group.scratch.path, name, 'data');
  }

  get running(): Replicator | ReplicationThread {
    if (this.replicator === undefined) throw new Error(`${this.name} is down`);
    return this.replicator;
  }

  async start(): Promise<void> {
    const options = {
      node: this.name,
      dataDir: this.dataDir,
      volumes: [{ number: 1, name: 'mail', path: this.path, exclude: [] }],
      journalBytesMax: this.journalBytesMax,
      journal: {
        firstIndex: this.journalFrom,
        lastIndex: Math.max(this.journalFrom - 1, this.#group.log.length),
      },
    };
    const host = this.#group.hosting === 'in threads' ? ReplicationThread : Replicator;
    this.replicator = await host.open(options, this.#port());
    this.delivered = this.replicator.status.state.position.index;
    this.applied = this.delivered;
  }

  async stop(): Promise<void> {
    const { replicator } = this;
    this.replicator = undefined;
    await replicator?.close();
  }

  /** Everything committed is taken, and what was to be settled is. */
  async caughtUp(): Promise<void> {
    this.#group.deliver();
    const isThere = () => {
      const { mode, state } = this.running.status;
      const taken = Math.min(this.applied, state.position.index);
      return taken >= this.#group.committed && mode !== 'unsettled';
    };
    await until(isThere, () => {
      const { mode, problem } = this.running.status;
      return `${this.name} takes everything (${mode}, ${this.applied}, ${problem})`;
    });
  }

  #port(): ReplicationPort {
    const group = this.#group;
    return {
      propose: (sequence, data) => group.append(data, { node: this.name, sequence }),
      readJournal: async (from, to) =>
        group.log
          .slice(Math.max(from, this.journalFrom) - 1, to - 1)
          .flatMap(({ index, data }) => (data === undefined ? [] : [{ index, data }])),
      readTails: async () => this.tails,
      removeTail: async (name) => {
        this.tails.splice(
          this.tails.findIndex((tail) => tail.name === name),
          1,
        );
      },
      askLeader: async (method, params) => {
        const leader = group.nodes.get(group.leader);
        if (leader?.replicator === undefined || leader === this) {
          throw new MailraftError('NO_QUORUM', 'nobody leads');
        }
        group.asked.push(method);
        return await leader.replicator.answer(method, params, this.name);
      },
      onApplied: (index) => {
        this.applied = index;
      },
      onDecree: () => undefined,
      onEvent: (event) => this.events.push(event),
      onStateFetched: ({ index }) => {
        this.delivered = Math.max(this.delivered, index);
        this.applied = Math.max(this.applied, index);
      },
      onFailed: (error) => {
        if (this.failures === undefined) throw error;
        this.failures.push(error);
      },
    };
  }
}

export class Group {
  readonly scratch: Scratch;
  readonly hosting: Hosting;
  readonly nodes = new Map<string, GroupNode>();
  log: LogEntry[] = [];
  committed = 0;
  term = 1;
  leader = '';
  /** Whether what is proposed is committed at once. */
  commits = true;
  readonly asked: string[] = [];

  constructor(scratch: Scratch, names: readonly string[], hosting: Hosting = 'in process') {
    this.scratch = scratch;
    this.hosting = hosting;
    for (const name of names) {
      const path = join(scratch.path, name, 'mail');
      mkdirSync(path, { recursive: true });
      mkdirSync(join(scratch.path, name, 'data'), { recursive: true });
      this.nodes.set(name, new GroupNode(this, name, path));
    }
    scratch.onClose(async () => {
      for (const node of this.nodes.values()) await node.stop();
    });
  }

  of(name: string): GroupNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  append(data: Buffer | undefined, from?: LogEntry['from']): number {
    const index = this.log.length + 1;
    // A proposal of one who leads no more comes to nothing.
    if (from !== undefined && from.node !== this.leader) return 0;
    this.log.push({ index, term: this.term, data, from });
    if (this.commits) {
      this.committed = index;
      this.deliver();
    }
    return index;
  }

  decree(decree: Decree): number {
    return this.append(encodeDecree(decree));
  }

  /** Gives every running node what is committed. */
  deliver(): void {
    for (const node of this.nodes.values()) {
      if (node.replicator === undefined || node.isCut) continue;
      const news = this.log.slice(node.delivered, this.committed);
      node.delivered = Math.max(node.delivered, this.committed);
      node.replicator.apply(
        news.map(({ index, term, data, from }) => {
          const isOwn = from?.node === node.name && this.leader === node.name && term === this.term;
          const own = isOwn ? from?.sequence : undefined;
          return { index, term, data: isOwn ? undefined : data, own };
        }),
      );
    }
  }

  /** Makes a node leader of a new term; all who run settle on its first own commit. */
  async elect(name: string): Promise<void> {
    this.term += 1;
    this.leader = name;
    this.commits = true;
    const index = this.append(undefined);
    for (const node of this.nodes.values()) {
      node.replicator?.settle(index, `left over from before term ${this.term}`);
    }
    await this.of(name).caughtUp();
  }

  /** Opens a tenure: capture is armed. */
  async serve(name: string): Promise<void> {
    await this.of(name).running.arm();
    this.decree({ kind: 'tenure', term: this.term, holder: name });
  }

  /** The leader loses its lead; what it proposed and nobody committed is its tail. */
  async depose(): Promise<void> {
    const old = this.of(this.leader);
    const tail = this.log.slice(this.committed);
    this.log = this.log.slice(0, this.committed);
    const commands = tail.flatMap(({ data }) => (data === undefined ? [] : [data]));
    if (commands.length > 0) old.tails.push({ name: `${this.term}`, commands });
    this.leader = '';
    await old.replicator?.disarm();
  }

  /** First start: the origin indexes what it has, the others fetch it. */
  async found(origin: string): Promise<void> {
    for (const node of this.nodes.values()) if (node.replicator === undefined) await node.start();
    this.leader = origin;
    this.append(undefined);
    const decree = await this.of(origin).running.makeBaseline();
    this.decree(decree);
    for (const node of this.nodes.values()) await node.caughtUp();
  }

  /** Everything done in the primary's volume is committed and applied everywhere. */
  async covered(): Promise<void> {
    const primary = this.of(this.leader);
    const { uncovered } = await primary.running.barrier();
    if (uncovered.length > 0) throw new Error(`not covered: ${uncovered.join(', ')}`);
    for (const node of this.nodes.values()) {
      if (node.replicator !== undefined && !node.isCut) await node.caughtUp();
    }
  }

  /** How the trees of two nodes differ. */
  async differences(a: string, b: string): Promise<readonly string[]> {
    const trees = [await walkTree(this.of(a).path), await walkTree(this.of(b).path)] as const;
    return compareTrees(...trees).texts;
  }
}
