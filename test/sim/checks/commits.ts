/**
 * Verifies:
 * - leader completeness: who is elected holds every entry committed in an earlier term
 * - state machine safety, committed immutable: nobody applies another entry at an index
 * - apply in order: each member applies every entry once, one after the other
 * - commit is durable: what anybody applies is on the disks of a quorum of the
 *   configuration that it was committed by, in both halves of a joint one
 *
 * A storage that is damaged, muted or was replaced counts as one that had the entry: it
 * had acknowledged what it now lacks (see acknowledgements.ts).
 * Not here: that commits are ever made.
 */

import type {
  Entry,
  EntryId,
  LogIndex,
  Membership,
  NodeId,
  Term,
} from '../../../src/consensus/core/types.ts';
import { incarnationIn } from '../../../src/consensus/host/incarnations.ts';
import { hasEntry } from '../storage/image.ts';
import { Violation } from '../violation.ts';
import { type Configurations, isQuorum } from './configurations.ts';
import { isSame } from './logs.ts';
import type { WatchedMembers } from './watched.ts';

interface Committed {
  /** Without its data as long as only the witness applied it. */
  entry: Entry;
  isWhole: boolean;
  /** The term of whoever applied it first: it was committed in this term or before. */
  readonly committedIn: Term;
}

/** The log of a member, as far as it can tell. */
export interface LogOf {
  readonly firstIndex: LogIndex;
  termAt(index: LogIndex): Term | undefined;
}

export class Commits {
  readonly #members: WatchedMembers;
  readonly #configurations: Configurations;
  readonly #witness: NodeId;
  readonly #committed: (Committed | undefined)[] = [];
  readonly #appliedTo = new Map<NodeId, LogIndex>();
  /** The last entry that anybody applied. */
  max = 0;

  constructor(members: WatchedMembers, configurations: Configurations, witness: NodeId) {
    this.#members = members;
    this.#configurations = configurations;
    this.#witness = witness;
  }

  get last(): EntryId | undefined {
    return this.#committed[this.max]?.entry;
  }

  /** A process of `id` may apply from here. */
  restarted(id: NodeId, applied: LogIndex): void {
    this.#appliedTo.set(id, applied);
  }

  applied(id: NodeId, entry: Entry, committedIn: Term): void {
    const { index } = entry;
    const expected = (this.#appliedTo.get(id) ?? 0) + 1;
    if (index !== expected) {
      throw new Violation('apply in order', `${id} applied ${index} after ${expected - 1}`);
    }
    this.#appliedTo.set(id, index);
    const isWhole = id !== this.#witness;
    const known = this.#committed[index];
    if (known === undefined) {
      this.#committed[index] = { entry, isWhole, committedIn };
      this.max = Math.max(this.max, index);
      this.#configurations.committed(entry);
      this.#checkDurable(entry);
      return;
    }
    if (isWhole && !known.isWhole) {
      known.entry = entry;
      known.isWhole = true;
    }
    if (known.entry.term !== entry.term || (isWhole && !isSame(known.entry, entry))) {
      throw new Violation('state machine safety', `${id} applied another entry ${index}`);
    }
  }

  /**
   * A member leads `term`. Of two logs with a common entry all before it is common too
   * (logs.ts): so the last one is looked at, and a few before it.
   */
  elected(id: NodeId, term: Term, log: LogOf): void {
    let last = this.max;
    // A leader of an older term may show late; it need not know of newer ones.
    while (last > 0 && (this.#committed[last]?.committedIn ?? 0) >= term) last -= 1;
    for (let back = 0; last - back >= log.firstIndex; back = back * 2 + 1) {
      const committed = this.#committed[last - back];
      if (committed === undefined || log.termAt(last - back) === committed.entry.term) continue;
      const missing = `entry ${last - back} of term ${committed.entry.term}`;
      throw new Violation('leader completeness', `${id} leads term ${term} without ${missing}`);
    }
  }

  #checkDurable(entry: EntryId): void {
    const possible = this.#configurations.around(entry.index);
    if (possible.some((membership) => this.#isDurable(entry, membership))) return;
    const holders = [...this.#members.keys()].filter((id) => {
      const durable = this.#members.get(id)?.storage.durable;
      return durable !== undefined && hasEntry(durable, entry);
    });
    const text = `entry ${entry.term}/${entry.index} was applied and is on ${holders.join(' ')}`;
    throw new Violation('commit is durable', text);
  }

  #isDurable(entry: EntryId, membership: Membership): boolean {
    const holders = new Set<NodeId>();
    for (const id of [...membership.voters, ...membership.outgoing]) {
      const member = this.#members.get(id);
      if (member === undefined) continue;
      const named = incarnationIn(membership, id);
      const { durable, isDamaged } = member.storage;
      const isGone = named !== '' && named !== member.incarnation;
      if (isGone || isDamaged || durable.isMuted || hasEntry(durable, entry)) holders.add(id);
    }
    return isQuorum(membership, holders);
  }
}
