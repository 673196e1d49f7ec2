/**
 * What the rooms of replication share within its thread, and what they ask of the
 * daemon around it.
 */

import type { Stager } from './apply/stager.ts';
import type { Decree } from './command/decree.ts';
import type { CommittedState, Position, TenureMark } from './committed-state.ts';
import type { FileIndex } from './index/file-index.ts';
import type { LocalState } from './index/local-state.ts';
import type { Problems } from './problems.ts';
import type { SalvageManifest, SalvageStore } from './salvage/salvage-store.ts';
import type { VolumeTree } from './volume/volume-tree.ts';

/** A committed entry, as it is handed to replication. */
export interface CommittedItem {
  readonly index: number;
  readonly term: number;
  /** Nothing for a no-op. */
  readonly data: Buffer | undefined;
  /** Number of the own proposal that became this entry, if it is one. */
  readonly own: number | undefined;
}

/** A command entry read back from the journal. */
export interface JournalledCommand {
  readonly index: number;
  readonly data: Buffer;
}

/** Something worth a line in the log, and maybe in history. */
export type ReplicationEvent =
  | { readonly kind: 'salvaged'; readonly manifest: SalvageManifest }
  | { readonly kind: 'drift'; readonly volume: string; readonly paths: readonly string[] }
  | { readonly kind: 'overflow' }
  | {
      readonly kind: 'unsupported';
      readonly volume: string;
      readonly path: string;
      readonly reason: string;
    }
  | { readonly kind: 'settled'; readonly index: number; readonly differences: number }
  | { readonly kind: 'resynced'; readonly index: number; readonly fetchedBytes: number }
  /** Something keeps replication from going on, and is tried again. */
  | { readonly kind: 'waiting'; readonly reason: string };

/** What replication asks of the daemon. */
export interface ReplicationPort {
  /** Put a batch of changes into the log; the answer is its commit, as an own item. */
  propose(sequence: number, data: Buffer): void;
  /** Commands of the journal in `[from, to)`; those compacted away are left out. */
  readJournal(from: number, to: number): Promise<readonly JournalledCommand[]>;
  /** Entries that a new leader's replaced here, oldest first. */
  readTails(): Promise<readonly { readonly name: string; readonly commands: readonly Buffer[] }[]>;
  /** Their bytes are safe. */
  removeTail(name: string): Promise<void>;
  /** Asks the member that leads; fails when none does. */
  askLeader(method: string, params: unknown): Promise<unknown>;
  /** The index has taken in everything up to here. */
  onApplied(index: number): void;
  onDecree(index: number, decree: Decree): void;
  onEvent(event: ReplicationEvent): void;
  /** The state was fetched from another member: the log begins after it. */
  onStateFetched(position: Position, tenure: TenureMark | undefined): void;
  /** The disk failed, or an invariant did: nothing goes on here. */
  onFailed(error: Error): void;
}

/** State that changes with the log; one object that its owner replaces. */
export interface StateHolder {
  current: CommittedState;
}

export interface Parts {
  readonly node: string;
  readonly port: ReplicationPort;
  readonly trees: readonly VolumeTree[];
  readonly index: FileIndex;
  readonly local: LocalState;
  readonly stager: Stager;
  readonly salvage: SalvageStore;
  readonly state: StateHolder;
  readonly problems: Problems;
  /** Aborted when this node is to stop: what takes long gives up. */
  readonly closing: AbortSignal;
}
