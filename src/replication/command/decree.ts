/**
 * Decisions of the cluster, in the same log as the changes (architecture.md, "Words").
 */

/** A tenure is opened: `holder` may run the service in `term` (safety rule 1). */
export interface TenureDecree {
  readonly kind: 'tenure';
  readonly term: number;
  readonly holder: string;
}

/** A tenure is closed: service and address are gone, and `to` may begin at once. */
export interface HandoverDecree {
  readonly kind: 'handover';
  readonly term: number;
  readonly holder: string;
  readonly to: string;
  /** Why the holder gave its place away, for history. */
  readonly cause?: string;
}

/** What a volume held before the cluster existed is indexed at the origin. */
export interface BaselineDecree {
  readonly kind: 'baseline';
  readonly origin: string;
  readonly volumes: readonly {
    readonly name: string;
    readonly files: number;
    readonly bytes: number;
    readonly treeHash: string;
  }[];
}

/** Everything proposed before it is committed with it. */
export interface BarrierDecree {
  readonly kind: 'barrier';
  readonly id: number;
}

/** No member needs the journal below `index` any more (safety rule 13). */
export interface FloorDecree {
  readonly kind: 'floor';
  readonly index: number;
}

/** Settings that all members must share (safety rule 2). */
export interface SettingsDecree {
  readonly kind: 'settings';
  readonly leaseMs: number;
}

/** A change of primary, as it is remembered. */
export interface HistoryRecord {
  readonly epoch: number;
  /** `start` is the first primary of all; `restart` the same node in a new tenure. */
  readonly event: 'start' | 'switchover' | 'failover' | 'restart';
  readonly from: string;
  readonly to: string;
  readonly cause: string;
  /** Wall clock of the new primary, ms since 1970. */
  readonly atMs: number;
  /** How long each phase took, in ms, in their order. */
  readonly phases: readonly { readonly name: string; readonly ms: number }[];
}

export interface HistoryDecree {
  readonly kind: 'history';
  readonly record: HistoryRecord;
}

export type Decree =
  | TenureDecree
  | HandoverDecree
  | BaselineDecree
  | BarrierDecree
  | FloorDecree
  | SettingsDecree
  | HistoryDecree;
