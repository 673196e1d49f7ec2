/**
 * Opens what replication stands on: the store with the index, the volumes, the rooms
 * that work on them.
 */

import { join } from 'node:path';
import { Follow } from './apply/follow.ts';
import { Stager } from './apply/stager.ts';
import { Checkpoint } from './checkpoint.ts';
import { ChunkEntries } from './chunk-entries.ts';
import { decodeState, EMPTY_STATE, encodeState, STATE_KEY } from './committed-state.ts';
import { FileIndex, GROUP_BYTES } from './index/file-index.ts';
import { LocalState } from './index/local-state.ts';
import { IndexStore } from './index/store.ts';
import { JournalledContents } from './journalled-contents.ts';
import { Missing } from './missing.ts';
import type { Parts, ReplicationPort, StateHolder } from './parts.ts';
import { Problems } from './problems.ts';
import { ContentFetch } from './resync/content-fetch.ts';
import { ResyncSource } from './resync/source.ts';
import { Room } from './room.ts';
import { SalvageStore } from './salvage/salvage-store.ts';
import type { JournalRange } from './settle/suspects.ts';
import { MetaWriter } from './volume/meta.ts';
import { type VolumeOptions, VolumeTree } from './volume/volume-tree.ts';

export interface ReplicatorOptions {
  readonly node: string;
  readonly dataDir: string;
  readonly volumes: readonly VolumeOptions[];
  /** Bytes that the journal may grow to, for the question whether there is room. */
  readonly journalBytesMax: number;
  /** What the journal holds at the start. */
  readonly journal: JournalRange;
}

export interface Foundation {
  readonly parts: Parts;
  readonly follow: Follow;
  readonly chunks: ChunkEntries;
  readonly missing: Missing;
  readonly contents: ContentFetch;
  readonly source: ResyncSource;
  readonly checkpoint: Checkpoint;
  readonly room: Room;
  /** Forgets the index and everything that is known of this disk. */
  forgetIndex(): Promise<void>;
  /** Writes committed layers and the state, in one transaction. */
  flush(sync: boolean): Promise<void>;
  close(): Promise<void>;
}

export async function openFoundation(
  options: ReplicatorOptions,
  port: ReplicationPort,
  closing: AbortSignal,
): Promise<Foundation> {
  const store = await IndexStore.open(join(options.dataDir, 'index'), GROUP_BYTES);
  const state: StateHolder = { current: decodeState(store.get(STATE_KEY)) };
  await dropHalfIndex(store, state);
  const index = new FileIndex(store);
  const parts: Parts = {
    node: options.node,
    port,
    trees: options.volumes.map((volume) => new VolumeTree(volume)),
    index,
    local: new LocalState(store),
    stager: new Stager(new MetaWriter()),
    salvage: new SalvageStore(join(options.dataDir, 'salvage'), options.node),
    state,
    problems: new Problems(closing, (reason) => port.onEvent({ kind: 'waiting', reason })),
    closing,
  };
  const flush = (sync: boolean) =>
    store.flush(sync, () => [[STATE_KEY, encodeState(state.current)]]);
  const chunks = new ChunkEntries(store, new JournalledContents(port));
  await chunks.load();
  const contents = new ContentFetch(port);
  const source = new ResyncSource(parts, () => flush(false));
  const checkpoint = new Checkpoint(parts, flush);
  return {
    parts,
    follow: new Follow(parts, chunks, contents.fetch),
    chunks,
    missing: new Missing(parts, chunks, contents.fetch),
    contents,
    source,
    checkpoint,
    room: new Room(parts.trees),
    forgetIndex: () => clear(store, [...INDEX, ...LOCAL]),
    flush,
    close: async () => {
      await checkpoint.idle();
      source.close();
      for (const tree of parts.trees) tree.close();
      await store.close();
    },
  };
}

/** Letters that keys begin with: the index proper, and what is known of this disk. */
const INDEX = ['n', 'i', 'm', 'M', 'L'];
const LOCAL = ['s', 'o', 'c'];

async function clear(store: IndexStore, letters: readonly string[]): Promise<void> {
  for (const letter of letters) await store.clear(Buffer.from(letter));
}

/** An index that is neither the old nor the new one, or of no decree, is worth nothing. */
async function dropHalfIndex(store: IndexStore, state: StateHolder): Promise<void> {
  const { isResyncing, isBaselined, draft } = state.current;
  if (isResyncing) {
    // How the disk looked stays known: it tells what was committed from what was not.
    await clear(store, INDEX);
    state.current = { ...EMPTY_STATE, isResyncing: true };
  } else if (!isBaselined && draft === undefined) await clear(store, [...INDEX, ...LOCAL]);
}
