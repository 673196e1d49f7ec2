/**
 * The port behind which the log is kept durable.
 *
 * The journal implements it with segments and fsync, the simulator with a disk
 * that loses what was not synced. Both keep this contract:
 *
 * - batches become durable in the order in which they were given;
 * - `done` is called once per batch, after everything in it and before it is
 *   durable (or merely taken, when nothing up to it asked for `mustSync`: then it is
 *   durable with the next that does); a hard state alone may be done at once;
 * - what the `LogView` half shows changes with `done`, not before;
 * - a batch is never half there after a crash: either no part of it counts, or
 *   all of it up to a damaged place that recovery names.
 *
 * A batch that cannot be stored for lack of space stays at the head of the queue
 * and is tried again; `onCondition` says so. Any other failure is final: `onFailed`
 * is called, and no `done` any more.
 */

import type { LogView } from '../core/log/log-view.ts';
import type { Entry, HardState, LogIndex, PlacedMembership, SnapshotMark } from '../core/types.ts';

export interface StorageBatch {
  readonly hardState: HardState | undefined;
  readonly entries: readonly Entry[];
  readonly snapshot: SnapshotMark | undefined;
  /** The longest promise this voter ever gives, in ms; durable before it is given. */
  readonly promiseMs: number | undefined;
  /** The configuration that came into force; outlives the entry that it stems from. */
  readonly membership?: PlacedMembership | undefined;
  readonly mustSync: boolean;
}

/** A batch to which a caller adds what it wants stored. */
export const NOTHING_TO_STORE: Omit<StorageBatch, 'mustSync'> = {
  hardState: undefined,
  entries: [],
  snapshot: undefined,
  promiseMs: undefined,
};

export type StorageCondition = 'ok' | 'noSpace';

export interface StorageEvents {
  /** Entries that `entries()` did not have at hand are there now. */
  onLoaded(): void;
  onCondition(condition: StorageCondition): void;
  onFailed(error: Error): void;
}

export interface LogStorage extends LogView {
  append(batch: StorageBatch, done: () => void): void;
  /** Entries below `floor` are no longer needed here. */
  compact(floor: LogIndex): void;
  subscribe(events: StorageEvents): void;
}
