/**
 * Two volumes and what is between them, without a cluster: one is captured, every
 * batch counts as committed at once and is carried out in the other.
 *
 * Equality is proven by a walker that shares no code with the index.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { compareTrees } from '../../src/cli/demo/tree-compare.ts';
import { walkTree } from '../../src/cli/demo/tree-walk.ts';
import { CarryOut } from '../../src/replication/apply/carry-out.ts';
import { Stager } from '../../src/replication/apply/stager.ts';
import { type Batch, Batcher } from '../../src/replication/capture/batcher.ts';
import { Capture } from '../../src/replication/capture/capture.ts';
import type { Change } from '../../src/replication/command/change.ts';
import { decodeCommand } from '../../src/replication/command/codec.ts';
import { emptyRoot, FileIndex, GROUP_BYTES } from '../../src/replication/index/file-index.ts';
import { LocalState } from '../../src/replication/index/local-state.ts';
import { IndexStore } from '../../src/replication/index/store.ts';
import { MetaWriter, metaOf } from '../../src/replication/volume/meta.ts';
import { VolumeTree } from '../../src/replication/volume/volume-tree.ts';
import { type Scratch, scratch } from '../support/scratch.ts';

/** One volume with its index. */
export class Side {
  readonly index: FileIndex;
  readonly local: LocalState;
  readonly tree: VolumeTree;
  readonly path: string;

  private constructor(store: IndexStore, path: string, exclude: readonly string[]) {
    this.path = path;
    this.index = new FileIndex(store);
    this.local = new LocalState(store);
    this.tree = new VolumeTree({ number: 1, name: 'mail', path, exclude });
    store.beginLayer();
    this.index.ensureRoot(1, emptyRoot(metaOf(this.tree.rootStat)));
    this.index.settleSums();
    store.commitThrough(Number.POSITIVE_INFINITY);
  }

  static async open(where: Scratch, name: string, exclude: readonly string[] = []): Promise<Side> {
    const path = join(where.path, name);
    mkdirSync(path, { recursive: true });
    const store = await IndexStore.open(join(where.path, `${name}.index`), GROUP_BYTES);
    const side = new Side(store, path, exclude);
    where.onClose(async () => {
      side.tree.close();
      await store.close();
    });
    return side;
  }

  get treeHash(): string {
    return this.index.getDirectory(1, 0).leaf.toString('hex');
  }
}

export class Pair {
  readonly primary: Side;
  readonly follower: Side;
  readonly capture: Capture;
  readonly unsupported: string[] = [];
  readonly changes: Change[] = [];
  overflows = 0;
  readonly #chunks = new Map<string, Buffer>();
  readonly #carryOut: CarryOut;
  #applied: Promise<void> = Promise.resolve();

  private constructor(primary: Side, follower: Side) {
    this.primary = primary;
    this.follower = follower;
    const { index, local } = follower;
    this.#carryOut = new CarryOut({
      index,
      local,
      stager: new Stager(new MetaWriter()),
      chunks: ({ hash }) => this.#chunks.get(hash.toString('hex')),
    });
    this.capture = new Capture({
      trees: [primary.tree],
      index: primary.index,
      local: primary.local,
      batcher: new Batcher(primary.index, (batch) => this.#take(batch)),
      events: {
        onOverflow: () => {
          this.overflows += 1;
        },
        onUnsupported: (_volume, path) => this.unsupported.push(path),
        onFailed: (error) => {
          throw error;
        },
        hasRoom: () => true,
      },
    });
  }

  static async open(t: Test, exclude: readonly string[] = []): Promise<Pair> {
    const where = scratch(t);
    const primary = await Side.open(where, 'primary', exclude);
    const follower = await Side.open(where, 'follower', exclude);
    const pair = new Pair(primary, follower);
    where.onClose(async () => {
      pair.capture.close();
      await pair.#applied;
    });
    await pair.capture.arm();
    return pair;
  }

  /** Everything that was done by now is captured and carried out. */
  async settle(): Promise<readonly string[]> {
    const { uncovered } = await this.capture.barrier();
    await this.#applied;
    return uncovered;
  }

  /** What differs between the two trees; empty when they are equal. */
  async differences(): Promise<readonly string[]> {
    const [a, b] = [await walkTree(this.primary.path), await walkTree(this.follower.path)];
    return compareTrees(a, b).texts;
  }

  #take({ layer, data }: Batch): void {
    this.primary.index.store.commitThrough(layer);
    if (data.length === 0) return;
    const command = decodeCommand(data);
    if (command.kind !== 'changes') throw new Error('capture proposed a decree');
    this.#applied = this.#applied.then(() => this.#apply(command.changes));
  }

  async #apply(changes: readonly Change[]): Promise<void> {
    const { index, tree } = this.follower;
    index.store.beginLayer();
    for (const change of changes) {
      this.changes.push(change);
      if (change.kind === 'chunk') this.#chunks.set(change.hash.toString('hex'), change.data);
      else await this.#carryOut.carryOut(tree, change, index.apply(change));
    }
    index.settleSums();
    this.#carryOut.finish();
    tree.release();
    index.store.commitThrough(Number.POSITIVE_INFINITY);
    await Promise.all([index.store.flush(false), this.primary.index.store.flush(false)]);
  }
}
