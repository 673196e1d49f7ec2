/**
 * What must hold after every step of a simulation.
 *
 * - election safety: at most one leader a term (Raft figure 3)
 * - terms come of elections: nobody is in a term for which nobody stood (dissertation §9.6)
 * - log matching: an entry's term and index decide its content and the entry before it
 * - leader completeness: who is elected holds every committed entry
 * - state machine safety: no two members apply different entries at an index
 * - commit is durable: what anybody applies is on the disks of a majority
 * - durable before acknowledged: every vote, acknowledgement and promise that
 *   leaves a member is on its disk
 * - the witness knows no more: every entry that a witness is told of is on the disks of
 *   all of the copy set in force
 * - copies: what a leader commits is on the disks of all of its copy set
 * - reads are not old: a read shows everything that was committed when it was asked for
 * - one lease: at no moment do two members have a lease that was not handed over
 * - one tenure: never is a service or an address held on two members
 *
 * Not checked here: that anything ever happens (see the end of a simulation).
 */

import type { Entry, EntryId } from '../../src/consensus/core/types.ts';
import type { PeerMessage, Standing } from '../../src/consensus/host/ports.ts';
import { type DiskImage, termAt } from './disk.ts';

export class Violation extends Error {
  readonly invariant: string;

  constructor(invariant: string, text: string) {
    super(`${invariant}: ${text}`);
    this.invariant = invariant;
  }
}

/** Whether an entry is on a disk, or in the state that its log begins with. */
function hasEntry(image: DiskImage, index: number, term: number): boolean {
  return index < image.base.index || termAt(image, index) === term;
}

interface Committed {
  readonly term: number;
  /** Undefined as long as only the witness applied it. */
  digest: string | undefined;
  /** The term of whoever applied it first: it was committed in this term or before. */
  readonly committedIn: number;
}

const digestOf = (entry: Entry): string =>
  `${entry.kind}:${Buffer.from(entry.data).toString('latin1')}`;

export class Checks {
  readonly #majority: number;
  /** The member that keeps entries without their data, if there is one. */
  readonly #witness: string | undefined;
  readonly #disks: ReadonlyMap<string, { readonly durable: DiskImage }>;
  readonly #leaders = new Map<number, string>();
  /** Terms for which somebody stood; term 0 is everybody's. */
  readonly #elections = new Set<number>([0]);
  readonly #known = new Map<string, string>();
  readonly #committed: (Committed | undefined)[] = [];
  readonly #appliedTo = new Map<string, number>();
  readonly #terms = new Map<string, number>();
  readonly #holders = new Set<string>();
  /** Until when, in true time, each member's last lease lasts; 0 once it was handed over. */
  readonly #leases = new Map<string, number>();
  commitMax = 0;

  constructor(
    disks: ReadonlyMap<string, { readonly durable: DiskImage }>,
    witness: string | undefined,
  ) {
    this.#disks = disks;
    this.#witness = witness;
    this.#majority = Math.floor(disks.size / 2) + 1;
  }

  /** A member's role or term changed. */
  standing(id: string, { role, term }: Standing, termOf: (index: number) => number | undefined) {
    if (term < (this.#terms.get(id) ?? 0)) {
      throw new Violation('monotonic term', `${id} went back to term ${term}`);
    }
    this.#terms.set(id, term);
    if (role === 'candidate' || role === 'leader') this.electionHeld(term);
    else if (!this.#elections.has(term)) {
      throw new Violation('terms come of elections', `${id} is in term ${term} without one`);
    }
    if (role !== 'leader') return;
    const other = this.#leaders.get(term);
    if (other !== undefined && other !== id) {
      throw new Violation('election safety', `${other} and ${id} lead term ${term}`);
    }
    if (other === id) return;
    this.#leaders.set(term, id);
    for (let index = 1; index <= this.commitMax; index += 1) {
      const committed = this.#committed[index];
      // A leader of an older term may show late; it need not know of newer ones.
      if (committed === undefined || committed.committedIn >= term) continue;
      if (termOf(index) !== committed.term) {
        throw new Violation(
          'leader completeness',
          `${id} leads term ${term} without entry ${index} of term ${committed.term}`,
        );
      }
    }
  }

  /** Somebody stood for the lead of `term`. */
  electionHeld(term: number): void {
    this.#elections.add(term);
  }

  /** A member stored entries; `before` is the term of the entry in front of them. */
  stored(id: string, entries: readonly Entry[], before: number | undefined): void {
    if (id === this.#witness) return;
    let previous = before ?? 0;
    for (const entry of entries) {
      const key = `${entry.term}/${entry.index}`;
      const content = `${previous}:${digestOf(entry)}`;
      const known = this.#known.get(key);
      if (known === undefined) this.#known.set(key, content);
      else if (known !== content) {
        throw new Violation('log matching', `entry ${key} is ${known} and ${content}`);
      }
      previous = entry.term;
    }
  }

  /** A process of `id` started: it may apply again from here. */
  restarted(id: string, applied: number): void {
    this.#appliedTo.set(id, applied);
    // What was never stored is nothing to go back from.
    this.#terms.set(id, this.#disks.get(id)?.durable.hardState.term ?? 0);
  }

  applied(id: string, entry: Entry): void {
    const expected = (this.#appliedTo.get(id) ?? 0) + 1;
    if (entry.index !== expected) {
      throw new Violation('apply in order', `${id} applied ${entry.index} after ${expected - 1}`);
    }
    this.#appliedTo.set(id, entry.index);
    const committedIn = this.#terms.get(id) ?? entry.term;
    const digest = id === this.#witness ? undefined : digestOf(entry);
    const now = { term: entry.term, digest, committedIn };
    const known = this.#committed[entry.index];
    if (known === undefined) {
      this.#committed[entry.index] = now;
      this.commitMax = Math.max(this.commitMax, entry.index);
      this.#checkDurable(entry);
      return;
    }
    known.digest ??= digest;
    if (known.term !== now.term || (digest !== undefined && known.digest !== digest)) {
      throw new Violation('state machine safety', `${id} applied another entry ${entry.index}`);
    }
  }

  #checkDurable(entry: Entry): void {
    // What one has lost since it acknowledged it was durable there, for this check.
    const holders = [...this.#disks.values()].filter(
      ({ durable }) => durable.isMuted || hasEntry(durable, entry.index, entry.term),
    );
    if (holders.length < this.#majority) {
      throw new Violation(
        'commit is durable',
        `entry ${entry.term}/${entry.index} was applied and is on ${holders.length} disks`,
      );
    }
  }

  /** A member handed a message to the network; `copySet` is the one in force for it. */
  sent({ message, promiseMs }: PeerMessage, copySet: readonly string[]): void {
    if (message.to === this.#witness) this.#checkTold(message, copySet);
    const durable = this.#disks.get(message.from)?.durable;
    if (durable === undefined) throw new Violation('known sender', message.from);
    const fail = (text: string): never => {
      throw new Violation('durable before acknowledged', `${message.from} ${text}`);
    };
    const { hardState } = durable;
    if (message.type === 'voteResponse' && !message.rejected) {
      const isStored = hardState.term === message.term && hardState.vote === message.to;
      if (hardState.term <= message.term && !isStored) fail(`voted for ${message.to} unstored`);
    }
    if (message.type === 'appendResponse' && !message.rejected && message.index > 0) {
      // In a later term the entries may be replaced; who led the earlier one listens no more.
      const isPast = hardState.term > message.term;
      const isStored = durable.base.index + durable.count >= message.index;
      if (hardState.term < message.term || !(isStored || isPast)) {
        const last = durable.base.index + durable.count;
        fail(`acknowledged ${message.index} in term ${message.term} with ${last} stored`);
      }
    }
    if (message.type === 'heartbeatResponse' && promiseMs > durable.promiseMs) {
      fail(`promised ${promiseMs} ms unstored`);
    }
  }

  #checkTold(message: PeerMessage['message'], copySet: readonly string[]): void {
    const isAppend = message.type === 'append';
    const isMark = message.type === 'snapshot';
    const told = isAppend ? message.entries.at(-1) : isMark ? message.snapshot : undefined;
    if (told !== undefined) this.#checkCopies('the witness knows no more', told, copySet);
  }

  /** A leader commits an entry of its own term. */
  committed(entry: EntryId, copySet: readonly string[]): void {
    this.#checkCopies('copies', entry, copySet);
  }

  #checkCopies(invariant: string, { index, term }: EntryId, copySet: readonly string[]): void {
    for (const id of copySet) {
      const durable = this.#disks.get(id)?.durable;
      if (durable === undefined || durable.isMuted || hasEntry(durable, index, term)) continue;
      const text = `entry ${term}/${index} is not on ${id}, of the set ${copySet.join(' ')}`;
      throw new Violation(invariant, text);
    }
  }

  /** A read that was asked for when `known` was committed may go on from `index`. */
  read(id: string, index: number, known: number): void {
    if (index >= known) return;
    throw new Violation('reads are not old', `${id} reads at ${index}, ${known} was committed`);
  }

  /** The lease of `id` lasts until `untilMs` of true time. */
  leased(id: string, untilMs: number, nowMs: number): void {
    this.#leases.set(id, untilMs);
    if (untilMs <= nowMs) return;
    for (const [other, otherUntilMs] of this.#leases) {
      if (other === id || otherUntilMs <= nowMs) continue;
      throw new Violation('one lease', `${id} has one and so has ${other}`);
    }
  }

  /** The service or the address is held by `id`, or no more. */
  held(id: string, isHeld: boolean): void {
    if (isHeld) this.#holders.add(id);
    else this.#holders.delete(id);
    if (this.#holders.size > 1) {
      throw new Violation('one tenure', `${[...this.#holders].join(' and ')} hold the service`);
    }
  }

  get holder(): string | undefined {
    return [...this.#holders][0];
  }
}
