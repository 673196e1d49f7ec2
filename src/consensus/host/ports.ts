/**
 * What the host needs from outside, and what it tells.
 */

import type { Message } from '../core/messages.ts';
import type { CoreOptions } from '../core/options.ts';
import type { ApplyWork } from '../core/ready.ts';
import type {
  Entry,
  HardState,
  LogIndex,
  Membership,
  NodeId,
  Random,
  Role,
  SnapshotMark,
  Term,
} from '../core/types.ts';
import type { LogStorage } from './storage.ts';
import type { PlacedTenureRecord, TenureReader } from './tenure-records.ts';

/** A message on its way between two hosts. */
export interface PeerMessage {
  readonly message: Message;
  /**
   * In a heartbeat the promise that the leader asks for, in its answer the
   * promise that the voter now keeps, in ms; 0 in all other messages.
   */
  readonly promiseMs: number;
  /** Of the sender's storage; empty when it has none (see incarnations.ts). */
  readonly fromIncarnation: string;
  /** The incarnation of the receiver that is meant; empty for whichever has the name. */
  readonly toIncarnation: string;
}

/** Who leads, as this member sees it. */
export interface Standing {
  readonly role: Role;
  readonly term: Term;
  readonly leader: NodeId;
  /** Asked into the lead by a hand-over, instead of having waited for a lease to end. */
  readonly ledByTransfer: boolean;
}

export interface HostEvents {
  /** The role, the leader or the term changed. */
  onStanding(standing: Standing): void;
  /** Another configuration is in effect: who belongs to the group, and where they are. */
  onMembership(membership: Membership): void;
  /** Committed entries to apply in order; answer with `RaftHost.applied(work)`. */
  onApply(work: ApplyWork): void;
  /** The own log ends before the leader's begins: fetch the state, then `installState`. */
  onStateNeeded(mark: SnapshotMark, leader: NodeId): void;
  /** The storage has no space, or has space again. */
  onSpace(hasSpace: boolean): void;
  /** The storage may lack what was acknowledged, or has everything again and knows it durably. */
  onMuted(isMuted: boolean): void;
  /** The storage failed for good: nothing more will become durable here. */
  onStorageFailed(error: Error): void;
}

export interface HostPorts {
  readonly storage: LogStorage;
  readonly events: HostEvents;
  readonly readTenure: TenureReader;
  readonly random: Random;
  send(message: PeerMessage): void;
  /** Milliseconds on a monotonic clock that counts while the machine sleeps. */
  nowMs(): number;
}

export interface HostOptions {
  readonly id: NodeId;
  /** Of this member's storage. Default: none, its name alone counts. */
  readonly incarnation?: string;
  /** Length of the lease, in ms. */
  readonly leaseMs: number;
  /** Ticks in a lease; with as many `electionTicks` nobody stands in vain while one holds. */
  readonly ticksPerLease: number;
  readonly core: Omit<CoreOptions, 'id' | 'random'>;
}

/** What the storage and the state machine knew when the host was made. */
export interface HostStart {
  readonly hardState: HardState;
  readonly membership: Membership;
  /** The entry that `membership` stems from. Default: 0. */
  readonly membershipIndex?: LogIndex;
  readonly applied: LogIndex;
  /** Entries of the log that change the configuration, from after `membership` on. Default: none. */
  readonly configs?: readonly Entry[];
  /** Longest promise ever given as a voter, in ms. */
  readonly longestPromiseMs: number;
  /** Tenure records of the log, by rising index; the last applied one included. */
  readonly tenureRecords: readonly PlacedTenureRecord[];
  /** The storage may lack what was acknowledged: no vote before it has everything again. */
  readonly isMuted: boolean;
}
