/**
 * How a core is made. All faults of the options are reported at once.
 */

import { MailraftError } from '../../errors.ts';
import type { EntryBytes } from './log/log-view.ts';
import type { GroupOf } from './quorum/groups.ts';
import type {
  Entry,
  HardState,
  LogIndex,
  Membership,
  NodeId,
  Random,
  SnapshotMark,
} from './types.ts';

export interface CoreOptions {
  readonly id: NodeId;
  /** Ticks without word from a leader after which a follower stands for election. */
  readonly electionTicks: number;
  /** Up to so many ticks are added to `electionTicks` by chance. Default: `electionTicks`. */
  readonly electionJitterTicks?: number;
  /** Ticks between heartbeats; less than `electionTicks`. */
  readonly heartbeatTicks: number;
  /**
   * A candidate repeats its requests after so many ticks, for voters that were
   * silent when it asked first. Default: never.
   */
  readonly repeatRequestTicks?: number;
  /**
   * A member that was told to fetch a state is looked for again after so many ticks: its
   * word may be lost, and the log may have been compacted beyond the state meanwhile.
   * Default: never, the host reports what became of it.
   */
  readonly repeatStateTicks?: number;
  /** Rehearse an election before raising the term (dissertation §9.6). */
  readonly preVote: boolean;
  /**
   * A leader that hears no majority for an election timeout steps down, and
   * votes are refused while a leader was heard (dissertation §6.2, §4.2.3).
   */
  readonly checkQuorum: boolean;
  /** Most bytes of entries in one append message; one entry may exceed it. */
  readonly appendBytesMax: number;
  /** Most append messages on their way to one follower. */
  readonly inflightMessagesMax: number;
  /** Most bytes of entries on their way to one follower. */
  readonly inflightBytesMax: number;
  /** Most bytes of entries proposed and not yet applied; more is refused. */
  readonly uncommittedBytesMax: number;
  /** Most bytes of committed entries handed out and not yet applied. */
  readonly applyingBytesMax: number;
  /** What an entry counts as there; never less than its data. Default: its data. */
  readonly entryBytes?: EntryBytes;
  /**
   * Whether a member has all data below its log's end, as far as is known, so that its
   * copy may count (safety rule 23). Default: every member has.
   */
  readonly hasAllData?: (id: NodeId) => boolean;
  /**
   * The group of a voter, for instance its site. Given, entries commit only when voters of
   * two groups hold them, so that the loss of one group loses nothing. Default: no groups.
   */
  readonly groupOf?: GroupOf;
  /**
   * When a committed change of the configuration takes effect: at once, by the core itself
   * (safety rule 10), or when the host says so by `applyConfig`. Default: `whenCommitted`.
   */
  readonly configTakesEffect?: 'whenCommitted' | 'whenApplied';
  /**
   * Lead only once the own vote is durable, though others' votes would do. Default: true;
   * etcd leads without it.
   */
  readonly waitsForOwnVote?: boolean;
  /** A refused candidate is told what is committed (see election.ts). Default: true. */
  readonly refusalsTellCommit?: boolean;
  /** Refuse changes of the configuration that may not be made now. Default: true. */
  readonly checkConfigChanges?: boolean;
  /** A leader that is no voter any more gives up the lead (dissertation §4.2.2). Default: true. */
  readonly stepDownOnRemoval?: boolean;
  /** Pass on to the leader what a follower is asked: proposals, transfers, reads. Default: false. */
  readonly forwardsToLeader?: boolean;
  /** Hand out committed entries before they are durable here. Default: false. */
  readonly appliesUnstable?: boolean;
  /**
   * Whether reads ask a quorum, or rest on the quorum check alone, which clocks that
   * drift break (dissertation §6.4.1). Default: `safe`.
   */
  readonly readOnly?: 'safe' | 'leaseBased';
  /** The state that a member without the entries is told to fetch. Default: the applied one. */
  readonly stateToFetch?: () => SnapshotMark | undefined;
  /**
   * Whether every lease that may still hold rests on the configuration in effect; the next
   * change waits for it. Default: there are no leases.
   */
  readonly mayReconfigure?: () => boolean;
  readonly random: Random;
}

/** What the storage knew when the core was made. */
export interface CoreStart {
  readonly hardState: HardState;
  readonly membership: Membership;
  /** Entries up to here are applied already and are not handed out again. */
  readonly applied: LogIndex;
  /** The entry that `membership` stems from. Default: 0. */
  readonly membershipIndex?: LogIndex;
  /** Entries of the log beyond it that change the configuration. Default: none. */
  readonly configs?: readonly Entry[];
}

/** Throws `CONFIG_INVALID` naming every option that cannot be. */
export function checkOptions(options: CoreOptions): void {
  const faults: string[] = [];
  const positive = [
    'electionTicks',
    'heartbeatTicks',
    'appendBytesMax',
    'inflightMessagesMax',
    'inflightBytesMax',
    'uncommittedBytesMax',
    'applyingBytesMax',
  ] as const;
  for (const name of positive) {
    if (!(options[name] > 0)) faults.push(`${name} must be above 0, is ${options[name]}`);
  }
  if (options.id === '') faults.push('id must not be empty');
  if (options.heartbeatTicks >= options.electionTicks) {
    faults.push(`heartbeatTicks ${options.heartbeatTicks} must be below electionTicks`);
  }
  if (options.inflightBytesMax < options.appendBytesMax) {
    faults.push('inflightBytesMax must not be below appendBytesMax');
  }
  if (faults.length > 0) throw new MailraftError('CONFIG_INVALID', faults.join('; '));
}
