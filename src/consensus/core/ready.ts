/**
 * The work that the core hands to its host.
 *
 * The host's duties, for each `Ready`, in the order in which the core gave them:
 *
 * 1. `messages` may be sent at once, in any order: a leader's entries travel while it still
 *    writes them itself (dissertation §10.2.1).
 * 2. `append` goes to the storage, first in first out. Once it is durable the
 *    host calls `RaftCore.appended(work)` and sends what that returns. Votes and
 *    acknowledgements exist only there: one that is sent before its fsync
 *    cannot be written by accident (Raft figure 2, "persistent state"; dissertation §3.8).
 * 3. `apply` goes to the state machine, first in first out, followed by
 *    `RaftCore.applied(work)`.
 */

import type { Message } from './messages.ts';
import type { ReadAnswer } from './reads.ts';
import type {
  Entry,
  EntryId,
  HardState,
  LogIndex,
  PlacedMembership,
  SnapshotMark,
  SoftState,
  Term,
} from './types.ts';

export interface AppendWork {
  /** Present when it changed; of the same batch as the entries (safety rule 10). */
  readonly hardState: HardState | undefined;
  /** Replace whatever is stored at or after the first one's index. */
  readonly entries: readonly Entry[];
  /** The stored log is to be replaced by this mark, before `entries`. */
  readonly snapshot: SnapshotMark | undefined;
  /** Whether the work must be durable before it counts as done, or may wait for the next. */
  readonly mustSync: boolean;
  /** @internal true only once the work is durable; `appended()` deals with them */
  readonly responses: readonly Message[];
  /** @internal the term of the core when it gave the work */
  readonly term: Term;
  /** @internal the last unstable entry by then */
  readonly last: EntryId | undefined;
}

export interface ApplyWork {
  readonly entries: readonly Entry[];
}

export interface Ready {
  /** The configuration that came into effect; store it before the log is compacted past its entry. */
  readonly membership: PlacedMembership | undefined;
  /** Reads that may go on once what is committed up to their index is applied. */
  readonly reads: readonly ReadAnswer[];
  readonly soft: SoftState | undefined;
  readonly append: AppendWork | undefined;
  readonly apply: ApplyWork | undefined;
  readonly messages: readonly Message[];
}

/** What a member looks like from outside. */
export interface CoreStatus {
  readonly term: Term;
  readonly role: SoftState['role'];
  readonly leader: SoftState['leader'];
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  readonly firstIndex: LogIndex;
  readonly lastIndex: LogIndex;
}
