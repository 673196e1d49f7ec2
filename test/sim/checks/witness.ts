/**
 * Verifies, in a group with a witness (safety rule 23):
 * - the witness knows no more: every entry that a witness is told of is on the disks of
 *   all of the copy set in force
 * - copies: what a leader commits is on the disks of all of its copy set
 *
 * A storage that is damaged or was replaced counts as one that had the entry. What leaves
 * together with a change of the set may have been said by the one before.
 * Not here: that the set is ever made smaller or larger.
 */

import type { EntryId, NodeId } from '../../../src/consensus/core/types.ts';
import { incarnationIn } from '../../../src/consensus/host/incarnations.ts';
import type { PeerMessage } from '../../../src/consensus/host/ports.ts';
import { hasEntry } from '../storage/image.ts';
import { Violation } from '../violation.ts';
import type { Configurations } from './configurations.ts';
import type { WatchedMembers } from './watched.ts';

export class WitnessCopies {
  readonly #members: WatchedMembers;
  readonly #configurations: Configurations;
  readonly #witness: NodeId;
  /** The set by which each sender spoke last, and the one before it. */
  readonly #sets = new Map<NodeId, { now: readonly NodeId[]; before: readonly NodeId[] }>();

  constructor(members: WatchedMembers, configurations: Configurations, witness: NodeId) {
    this.#members = members;
    this.#configurations = configurations;
    this.#witness = witness;
  }

  sent({ message }: PeerMessage, copySet: readonly NodeId[]): void {
    if (message.to !== this.#witness) return;
    const isAppend = message.type === 'append';
    const isMark = message.type === 'snapshot';
    const told = isAppend ? message.entries.at(-1) : isMark ? message.snapshot : undefined;
    const { now, before } = this.#setsOf(message.from, copySet);
    if (told === undefined || this.#missing(told, before) === undefined) return;
    this.#check('the witness knows no more', told, now);
  }

  #setsOf(sender: NodeId, now: readonly NodeId[]) {
    const known = this.#sets.get(sender) ?? { now, before: now };
    if (known.now.join() !== now.join()) this.#sets.set(sender, { now, before: known.now });
    else this.#sets.set(sender, known);
    return this.#sets.get(sender) as typeof known;
  }

  committed(entry: EntryId, copySet: readonly NodeId[]): void {
    this.#check('copies', entry, copySet);
  }

  #check(invariant: string, entry: EntryId, copySet: readonly NodeId[]): void {
    const id = this.#missing(entry, copySet);
    if (id === undefined) return;
    const what = `entry ${entry.term}/${entry.index}`;
    throw new Violation(invariant, `${what} is not on ${id}, of the set ${copySet.join(' ')}`);
  }

  /** One of the set that lacks the entry. */
  #missing(entry: EntryId, copySet: readonly NodeId[]): NodeId | undefined {
    return copySet.find((id) => {
      const { storage, incarnation } = this.#members.get(id) ?? {};
      const isGone = incarnation !== incarnationIn(this.#configurations.latest, id);
      if (storage === undefined || isGone || storage.isDamaged) return false;
      return !storage.durable.isMuted && !hasEntry(storage.durable, entry);
    });
  }
}
