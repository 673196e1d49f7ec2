/**
 * How a core is made. All faults of the options are reported at once.
 */

import { MailraftError } from '../../errors.ts';
import type { Entry, HardState, LogIndex, Membership, NodeId, Random } from './types.ts';

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
  /**
   * Whether a member has all data below its log's end, as far as is known, so that its
   * copy may count (safety rule 23). Default: every member has.
   */
  readonly hasAllData?: (id: NodeId) => boolean;
  readonly random: Random;
}

/** What the storage knew when the core was made. */
export interface CoreStart {
  readonly hardState: HardState;
  readonly membership: Membership;
  /** Entries up to here are applied already and are not handed out again. */
  readonly applied: LogIndex;
  /** Of the entry that `membership` stems from. Default: 0, what the group began with. */
  readonly membershipIndex?: LogIndex;
  /** Entries of the log that change the configuration, from after that one on. Default: none. */
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
