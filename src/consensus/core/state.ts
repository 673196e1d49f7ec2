/**
 * The state of one member, shared by the files that change it.
 *
 * Only the core's own files touch it: roles.ts moves between roles, election.ts,
 * leader.ts and follower.ts answer messages, raft-core.ts is the face outside.
 */

import { CopySets } from './copies/copy-sets.ts';
import { Hearing } from './copies/hearing.ts';
import type { LogView } from './log/log-view.ts';
import { RaftLog } from './log/raft-log.ts';
import { ConfigEntries } from './membership/config-entries.ts';
import type { Message } from './messages.ts';
import type { CoreOptions, CoreStart } from './options.ts';
import { type ReadAnswer, Reads } from './reads.ts';
import { Tracker } from './tracker/tracker.ts';
import {
  type Entry,
  type HardState,
  type LogIndex,
  NO_NODE,
  type NodeId,
  type Role,
  type SoftState,
  type Term,
} from './types.ts';

/** A leadership transfer under way at the leader. */
export interface Transfer {
  readonly to: NodeId;
  /** Index of the committed hand-over record it rests on; 0 for none. */
  readonly handover: LogIndex;
}

export class RaftState {
  readonly id: NodeId;
  readonly options: CoreOptions;
  readonly log: RaftLog;
  readonly tracker: Tracker;
  readonly copies = new CopySets();
  readonly hearing = new Hearing();
  readonly configs = new ConfigEntries();
  readonly reads = new Reads();

  term: Term;
  vote: NodeId;
  role: Role = 'follower';
  leader: NodeId = NO_NODE;

  /** Ticks since the last word from a leader; at a leader, since the last quorum check. */
  electionElapsed = 0;
  heartbeatElapsed = 0;
  electionTimeout = 0;
  /** Ticks that are added to an election timeout by chance, `[from, below)`. */
  electionJitter: { readonly from: number; readonly below: number };
  /** Number of the last heartbeat round sent, for the lease. */
  round = 0;

  transfer: Transfer | undefined;
  /** Set while this member campaigns because the old leader asked it to. */
  campaignTransfer: Transfer | undefined;
  /** Whether the lead of this term came by a transfer instead of a timeout. */
  ledByTransfer = false;
  /** Index of the last configuration change in the log; none may be added before it is applied. */
  pendingConfigIndex: LogIndex = 0;
  /** The entry that the configuration in effect stems from. */
  membershipIndex: LogIndex;
  uncommittedBytes = 0;
  /** What a follower must hold to be taken into the copy set. */
  levelMark: LogIndex = 0;
  /** False while this leader is about to stop: then nobody leaves the copy set. */
  shrinksCopies = true;

  /** Reads asked here that may go on. */
  answers: ReadAnswer[] = [];
  /** May leave at once. */
  messages: Message[] = [];
  /** May leave only when what the state holds by now is durable (votes, acknowledgements). */
  messagesAfterAppend: Message[] = [];

  constructor(options: CoreOptions, start: CoreStart, view: LogView) {
    this.id = options.id;
    this.options = options;
    this.log = new RaftLog(view, start.applied, options, (entries) => this.#noteConfigs(entries));
    this.log.commitTo(start.hardState.commit);
    this.tracker = new Tracker(start.membership, options);
    this.membershipIndex = start.membershipIndex ?? 0;
    this.#noteConfigs(start.configs ?? []);
    this.electionJitter = { from: 0, below: options.electionJitterTicks ?? options.electionTicks };
    this.term = start.hardState.term;
    this.vote = start.hardState.vote;
  }

  get hardState(): HardState {
    return { term: this.term, vote: this.vote, commit: this.log.committed };
  }

  get softState(): SoftState {
    return { leader: this.leader, role: this.role };
  }

  /** Whether this member may stand for election at all. */
  get isPromotable(): boolean {
    // A witness has no data to lead with.
    const isData = this.tracker.isVoter(this.id) && this.tracker.membership.witness !== this.id;
    return isData && this.log.unstable.snapshot === undefined;
  }

  #noteConfigs(entries: readonly Entry[]): void {
    this.copies.appended(entries, this.membershipIndex);
    this.configs.appended(entries, this.membershipIndex);
  }

  /** Queues a message that promises nothing about this member's storage. */
  send(message: Message): void {
    this.messages.push(message);
  }

  /** Queues a message that is true only once the append work of now is durable. */
  sendAfterAppend(message: Message): void {
    this.messagesAfterAppend.push(message);
  }
}
