/**
 * The values that every part of the Raft core speaks of.
 *
 * Terms and indexes are plain numbers below 2^53; index 0 stands before the
 * first entry, and the empty string stands for "no node".
 */

/** Stable name of a member, unique within the cluster. */
export type NodeId = string;

/** Election term (Raft §5.1). Starts at 0 and never decreases. */
export type Term = number;

/** Position in the log, counted from 1. */
export type LogIndex = number;

/** In place of a node where there is none: no leader, no vote given. */
export const NO_NODE: NodeId = '';

/** `noop` opens a leader's term, `config` changes the members, `command` is the user's. */
export type EntryKind = 'noop' | 'config' | 'command';

/** One entry of the log. `data` is opaque to consensus. */
export interface Entry {
  readonly term: Term;
  readonly index: LogIndex;
  readonly kind: EntryKind;
  readonly data: Uint8Array;
}

/** An entry's identity: two entries with equal identity are the same entry (Raft §5.3). */
export interface EntryId {
  readonly term: Term;
  readonly index: LogIndex;
}

/** What must survive a crash besides the entries (Raft figure 2, and the commit index). */
export interface HardState {
  readonly term: Term;
  readonly vote: NodeId;
  readonly commit: LogIndex;
}

/** Who belongs to the group. While `outgoing` is not empty the configuration is joint (Raft §6). */
export interface Membership {
  readonly voters: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
  readonly learners: readonly NodeId[];
  /** Voters of the outgoing half that become learners when the joint configuration is left. */
  readonly learnersNext: readonly NodeId[];
  /** Whether the leader leaves the joint configuration by itself. */
  readonly autoLeave: boolean;
  /** The voter that keeps no data; `NO_NODE` when there is none. */
  readonly witness: NodeId;
  /** With a witness, the data voters that hold every entry before it commits; else empty. */
  readonly copySet: readonly NodeId[];
  /** What is known of members besides; may lack some. */
  readonly details: Readonly<Record<NodeId, MemberDetail>>;
}

/** A configuration and the entry that it stems from; index 0 for the one that the group began with. */
export interface PlacedMembership {
  readonly index: LogIndex;
  readonly membership: Membership;
}

/** What a configuration says of one member besides its standing. */
export interface MemberDetail {
  /** Names the storage that belongs to the member: a wiped machine comes back with another. */
  readonly incarnation: string;
  /** Opaque to consensus: address, priority and the like. */
  readonly info: string;
}

/**
 * Names the state at an index without holding it: the log up to `index` is
 * replaced by whatever the host calls the state at that index.
 */
export interface SnapshotMark {
  readonly index: LogIndex;
  readonly term: Term;
  /** The configuration in effect at whoever made the mark: of then, or newer. */
  readonly membership: Membership;
  /** The entry that it stems from; changes up to there are in it. Default: `index`. */
  readonly membershipIndex?: LogIndex;
}

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';

/** What may be lost in a crash, told for observers. */
export interface SoftState {
  readonly leader: NodeId;
  readonly role: Role;
}

/** Draws an integer in `[0, below)`; handed in so that a run replays to the bit. */
export type Random = (below: number) => number;
