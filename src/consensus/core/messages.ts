/**
 * What members say to each other.
 *
 * Every message carries the sender's term; the receiver's term filter (step.ts)
 * sees it before anything else.
 */

import type { Proposal } from './append.ts';
import type { Entry, LogIndex, NodeId, SnapshotMark, Term } from './types.ts';

interface Envelope {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: Term;
}

/** AppendEntries (Raft §5.3). Without entries it only carries the commit index. */
export interface AppendMessage extends Envelope {
  readonly type: 'append';
  readonly prevIndex: LogIndex;
  readonly prevTerm: Term;
  readonly commit: LogIndex;
  readonly entries: readonly Entry[];
}

/**
 * Answer to an append or a snapshot: the log matches up to `index`; or, when
 * rejected, the entry at `index` did not match and the hint says where it may.
 * `hasLost` takes back what was acknowledged before: only the log up to the hint
 * is left of it (the host says so of a damaged storage).
 */
export interface AppendResponse extends Envelope {
  readonly type: 'appendResponse';
  readonly index: LogIndex;
  readonly rejected: boolean;
  readonly hintIndex: LogIndex;
  readonly hintTerm: Term;
  readonly hasLost: boolean;
}

/** Keeps followers, and the lease: `round` comes back in the answer. */
export interface HeartbeatMessage extends Envelope {
  readonly type: 'heartbeat';
  readonly commit: LogIndex;
  readonly round: number;
}

export interface HeartbeatResponse extends Envelope {
  readonly type: 'heartbeatResponse';
  readonly round: number;
}

/**
 * RequestVote (Raft §5.2), and its rehearsal that changes no term (dissertation
 * §9.6). `transfer` marks an election that the old leader asked for; `handover`
 * is then the index of the hand-over record it rests on, 0 if there is none.
 */
export interface VoteRequest extends Envelope {
  readonly type: 'vote' | 'preVote';
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  readonly transfer: boolean;
  readonly handover: LogIndex;
}

/**
 * A refusal names the last entry that the voter knows to be committed: a candidate may need
 * just that to know who votes (see election.ts). Default: none.
 */
export interface VoteResponse extends Envelope {
  readonly type: 'voteResponse' | 'preVoteResponse';
  readonly rejected: boolean;
  readonly commitIndex?: LogIndex;
  readonly commitTerm?: Term;
}

/** Asks the receiver to campaign at once (dissertation §3.10). */
export interface TimeoutNowMessage extends Envelope {
  readonly type: 'timeoutNow';
  readonly handover: LogIndex;
}

/** The receiver's log ends before the sender's begins: it must fetch the state. */
export interface SnapshotMessage extends Envelope {
  readonly type: 'snapshot';
  readonly snapshot: SnapshotMark;
}

/** What a follower was asked to append, passed on to its leader. Of no term. */
export interface ProposeMessage extends Envelope {
  readonly type: 'propose';
  readonly proposals: readonly Proposal[];
}

/** A follower was asked to move the lead to `from`, and passes it on. */
export interface TransferMessage extends Envelope {
  readonly type: 'transferLeader';
}

/** A follower asks from which index on a read is not old. Of no term. */
export interface ReadIndexMessage extends Envelope {
  readonly type: 'readIndex';
  readonly token: string;
}

export interface ReadIndexResponse extends Envelope {
  readonly type: 'readIndexResponse';
  readonly token: string;
  readonly index: LogIndex;
}

/** What a follower passes on, where `forwardsToLeader` is set; the product never sends it. */
export type ForwardedMessage = ProposeMessage | TransferMessage | ReadIndexMessage;

/** All that carries the sender's term. */
export type TermedMessage =
  | AppendMessage
  | AppendResponse
  | HeartbeatMessage
  | HeartbeatResponse
  | VoteRequest
  | VoteResponse
  | TimeoutNowMessage
  | SnapshotMessage
  | TransferMessage
  | ReadIndexResponse;

export type Message = TermedMessage | ProposeMessage | ReadIndexMessage;

/** Only the leader of a term sends these in it. */
export type LeaderMessage = AppendMessage | HeartbeatMessage | SnapshotMessage;

export type MessageType = Message['type'];

/** What travels between nodes of the product: nothing is passed on there. */
export type PeerMessageType = Exclude<MessageType, ForwardedMessage['type'] | 'readIndexResponse'>;
