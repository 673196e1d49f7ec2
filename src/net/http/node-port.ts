/**
 * What the HTTP interface asks of a node. The daemon implements it; reports are plain
 * data and are sent as they are (shared names: the `/status` fields).
 */

export type NodeRole =
  | 'primary'
  | 'secondary'
  /** All data and no vote; `dr` at a site where no voter is. */
  | 'replica'
  | 'dr'
  | 'witness'
  | 'joining'
  | 'stopped';

export interface ProbeReport {
  readonly name: string;
  readonly verdict: 'unknown' | 'passing' | 'failing';
  /** ms since 1970 of the last answer or failure; null before the first. */
  readonly atMs: number | null;
  readonly text: string;
}

export interface VolumeReport {
  readonly name: string;
  readonly path: string;
  readonly files: number;
  readonly bytes: number;
  readonly treeHash: string;
  readonly treeHashIndex: number;
  readonly checkedIndex: number;
  readonly checkedAt: string | null;
  readonly checkedFiles: number;
  readonly dirty: number;
  readonly missing: number;
}

export interface PeerReport {
  readonly id: string;
  readonly isConnected: boolean;
  /** Why there is no connection; null with one. */
  readonly problem: string | null;
  /** How old the newest word of this peer is, ms; null when there was none. */
  readonly ageMs: number | null;
}

export interface StatusReport {
  readonly node: string;
  readonly cluster: string;
  readonly version: string;
  readonly role: NodeRole;
  readonly raft: {
    readonly state: string;
    readonly term: number;
    readonly leader: string | null;
    readonly commitIndex: number;
    readonly appliedIndex: number;
    readonly lastIndex: number;
    readonly firstIndex: number;
  };
  /** Disks that surely hold everything that is committed, with its data; 0 when not known. */
  readonly copies: number;
  readonly tenure: {
    readonly epoch: number;
    readonly valid: boolean;
    readonly expiresInMs: number;
    /** Where the node stands on its way to being primary, and what that waits for. */
    readonly phase: string;
    readonly waitsFor: string | null;
    readonly protection: string;
  };
  readonly service: {
    readonly state: string;
    readonly pid: number | null;
    readonly crashes: number;
    readonly probes: readonly ProbeReport[];
  };
  readonly address: readonly { readonly address: string; readonly held: boolean }[];
  readonly volumes: readonly VolumeReport[];
  readonly replication: {
    readonly mode: string;
    readonly problem: string | null;
    readonly fetchedBytes: number;
    readonly overflows: number;
    readonly watched: number;
  };
  readonly journal: {
    readonly bytes: number;
    readonly maxSizeBytes: number;
    readonly hasSpace: boolean;
    readonly damage: string | null;
  };
  readonly salvage: { readonly count: number };
  readonly peers: readonly PeerReport[];
  readonly paused: boolean;
  /** What a person should know now, each a sentence; empty when all is well. */
  readonly warnings: readonly string[];
}

export interface MemberReport {
  readonly id: string;
  readonly address: string;
  readonly role: 'voter' | 'witness' | 'learner';
  /** Of its data directory; empty before the cluster is founded. */
  readonly incarnation: string;
  readonly priority: number;
  readonly site: string;
  readonly isSelf: boolean;
  readonly isLeader: boolean;
  readonly isPrimary: boolean;
  readonly matchIndex: number;
  readonly lag: { readonly entries: number; readonly bytes: number; readonly seconds: number };
  /** Whether it may ever be primary, says the configuration. */
  readonly canBePrimary: boolean;
  readonly eligible: boolean;
  /** Why not eligible; null when it is. */
  readonly reason: string | null;
  readonly ageMs: number | null;
}

export interface ClusterReport {
  readonly cluster: string;
  readonly term: number;
  readonly leader: string | null;
  readonly primary: string | null;
  readonly members: readonly MemberReport[];
}

export interface HistoryEntry {
  readonly epoch: number;
  readonly event: string;
  readonly from: string;
  readonly to: string;
  readonly cause: string;
  readonly at: string;
  readonly phases: readonly { readonly name: string; readonly ms: number }[];
}

export interface SalvageEntry {
  readonly id: string;
  readonly epoch: number;
  readonly node: string;
  readonly keptAt: string;
  readonly reason: string;
  readonly files: readonly {
    readonly volume: string;
    readonly path: string;
    readonly type: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly reason: string;
  }[];
}

export interface ReadyCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly text: string;
}

/** How far an operation has come: the name of each phase as it begins, and how it goes on. */
export type PhaseReporter = (phase: string, progress?: string) => void;

/** A change of the members that is asked for. */
export type MemberChangeRequest =
  | {
      readonly kind: 'add';
      readonly id: string;
      /** `HOST:PORT`; undefined where it is known. */
      readonly address?: string;
      readonly isPromoted: boolean;
      readonly priority?: number;
      readonly site?: string;
      readonly canBePrimary?: boolean;
    }
  | { readonly kind: 'remove' | 'promote' | 'demote'; readonly id: string }
  | { readonly kind: 'priority'; readonly id: string; readonly priority: number };

export interface MemberChangeOptions {
  /** Whoever asks knows that it lowers the safety of the cluster. */
  readonly isConfirmed: boolean;
  readonly isDryRun: boolean;
}

export interface NodePort {
  status(): StatusReport;
  cluster(): ClusterReport;
  history(): readonly HistoryEntry[];
  salvage(): Promise<readonly SalvageEntry[]>;
  ready(): readonly ReadyCheck[];
  /** Only while the tenure is valid, the address is held and the probes pass. */
  readonly isPrimary: boolean;
  readonly isLeader: boolean;
  readonly isSecondary: boolean;
  readonly term: number;
  readonly role: NodeRole;
  /**
   * Moves the service to `to`, or to the best member; resolves when it serves there.
   * Any node takes the request. With `dryRun` only says what would happen.
   */
  switchover(
    request: { readonly to: string | undefined; readonly dryRun: boolean },
    report: PhaseReporter,
  ): Promise<unknown>;
  /** Changes the members, safely; any node takes the request, again after it was cut off. */
  changeMembers(
    request: MemberChangeRequest,
    options: MemberChangeOptions,
    report: PhaseReporter,
  ): Promise<unknown>;
  /** Resolves when everything written before the call is committed. Any node takes it. */
  barrier(report: PhaseReporter): Promise<{ readonly index: number; readonly copies: number }>;
}

/** What `GET /metrics` reads at each scrape; times are seconds since 1970, null for none. */
export interface MetricsSnapshot {
  readonly version: string;
  readonly role: NodeRole;
  readonly raftState: 'follower' | 'preCandidate' | 'candidate' | 'leader';
  readonly term: number;
  readonly commitIndex: number;
  readonly copies: number;
  readonly leaderChanges: number;
  readonly tenureExpirySeconds: number | null;
  readonly tenureRenewalFailures: number;
  readonly isServiceUp: boolean;
  readonly addresses: readonly { readonly address: string; readonly held: boolean }[];
  readonly addressAnnouncements: number;
  readonly isGuardianConnected: boolean;
  readonly probeFailures: readonly { readonly probe: string; readonly count: number }[];
  readonly failovers: readonly { readonly kind: string; readonly count: number }[];
  readonly peers: readonly {
    readonly peer: string;
    readonly lastContactSeconds: number | null;
    readonly lagEntries: number;
    readonly lagBytes: number;
    readonly lastAppliedSeconds: number | null;
    /** Null where it is not known: such a peer has no series. */
    readonly resyncRemainingBytes: number | null;
  }[];
  readonly captureQueueLength: number;
  readonly captureOverflows: number;
  readonly salvageFiles: number;
  readonly driftFiles: number;
  readonly isPaused: boolean;
  readonly protection: string;
  readonly eventLoopLagSeconds: number;
}
