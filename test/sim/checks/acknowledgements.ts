/**
 * Verifies:
 * - durable before acknowledged: every vote, acknowledgement and promise that leaves a
 *   member is on its disk
 * - acknowledged stays stored: a process that starts finds every vote, promise and entry
 *   that an earlier one acknowledged, or knows that it lacks some
 *
 * Not here: entries that were replaced since in a later term, and disks that were exchanged.
 */

import type { EntryId, NodeId, Term } from '../../../src/consensus/core/types.ts';
import type { PeerMessage } from '../../../src/consensus/host/ports.ts';
import type { StorageBatch } from '../../../src/consensus/host/storage.ts';
import { lastIndexOf, termAt } from '../storage/image.ts';
import type { MemberStorage, Recovered } from '../storage/member-storage.ts';
import { Violation } from '../violation.ts';
import type { WatchedMembers } from './watched.ts';

/** What a storage owes to the others. */
interface Owed {
  term: Term;
  /** The vote in `votedIn`. */
  vote: NodeId;
  votedIn: Term;
  promiseMs: number;
  entry: EntryId | undefined;
}

export class Acknowledgements {
  readonly #members: WatchedMembers;
  readonly #owed = new Map<NodeId, Owed>();

  constructor(members: WatchedMembers) {
    this.#members = members;
  }

  /** A storage is gone, and all that it owed with it. */
  wiped(id: NodeId): void {
    this.#owed.delete(id);
  }

  sent({ message, promiseMs }: PeerMessage): void {
    const durable = this.#members.get(message.from)?.storage.durable;
    if (durable === undefined) throw new Violation('known sender', message.from);
    const { hardState } = durable;
    if (message.type === 'voteResponse' && !message.rejected) {
      const isStored = hardState.term === message.term && hardState.vote === message.to;
      const isPast = hardState.term > message.term;
      if (!isStored && !isPast) this.#fail(message.from, `voted for ${message.to} unstored`);
      if (isStored) this.#note(message.from, { vote: message.to, votedIn: message.term });
    } else if (message.type === 'appendResponse' && !message.rejected && message.index > 0) {
      // In a later term the entries may be replaced; who led the earlier one listens no more.
      const isPast = hardState.term > message.term;
      const last = lastIndexOf(durable);
      if (hardState.term < message.term || (last < message.index && !isPast)) {
        const what = `acknowledged ${message.index} in term ${message.term}`;
        this.#fail(message.from, `${what} with ${last} of term ${hardState.term} stored`);
      }
      if (!isPast && !durable.isMuted) this.#noteEntry(message.from, message.index);
    } else if (message.type === 'heartbeatResponse' && promiseMs > 0) {
      if (promiseMs > durable.promiseMs)
        this.#fail(message.from, `promised ${promiseMs} ms unstored`);
      this.#note(message.from, { promiseMs });
    }
  }

  /** Entries are about to be replaced: either may be found from here on. */
  stored(id: NodeId, { entries, snapshot }: StorageBatch): void {
    const owed = this.#owed.get(id);
    if (owed?.entry === undefined) return;
    const first = snapshot === undefined ? entries[0]?.index : 0;
    if (first === undefined || first > owed.entry.index) return;
    owed.entry = undefined;
    if (first > 1) this.#noteEntry(id, first - 1);
  }

  /** A process starts with what it found. */
  recovered(id: NodeId, { hardState, promiseMs, isMuted }: Recovered, log: MemberStorage): void {
    const owed = this.#owed.get(id);
    if (owed === undefined) return;
    const { term, vote } = hardState;
    if (term < owed.term) this.#lost(id, `term ${owed.term} and finds ${term}`);
    if (term === owed.votedIn && vote !== owed.vote) {
      this.#lost(id, `its vote for ${owed.vote} in term ${term} and finds "${vote}"`);
    }
    if (promiseMs < owed.promiseMs) this.#lost(id, `${owed.promiseMs} ms and finds ${promiseMs}`);
    const { entry } = owed;
    if (isMuted || entry === undefined || entry.index < log.firstIndex - 1) return;
    const found = log.termAt(entry.index);
    if (found !== entry.term) {
      this.#lost(id, `entry ${entry.term}/${entry.index} and finds term ${found} there`);
    }
  }

  #noteEntry(id: NodeId, index: number): void {
    const durable = this.#members.get(id)?.storage.durable;
    const term = durable === undefined ? undefined : termAt(durable, index);
    const before = this.#owed.get(id)?.entry;
    if (term === undefined || (before !== undefined && before.index >= index)) return;
    this.#note(id, { entry: { index, term } });
  }

  #note(id: NodeId, news: Partial<Owed>): void {
    let owed = this.#owed.get(id);
    if (owed === undefined) {
      owed = { term: 0, vote: '', votedIn: 0, promiseMs: 0, entry: undefined };
      this.#owed.set(id, owed);
    }
    if (news.promiseMs !== undefined) owed.promiseMs = Math.max(owed.promiseMs, news.promiseMs);
    if (news.entry !== undefined) owed.entry = news.entry;
    if (news.votedIn !== undefined && news.votedIn > owed.votedIn) {
      owed.votedIn = news.votedIn;
      owed.vote = news.vote ?? '';
    }
    const term = this.#members.get(id)?.storage.durable.hardState.term ?? 0;
    if (term > owed.term) owed.term = term;
  }

  #fail(id: NodeId, text: string): never {
    throw new Violation('durable before acknowledged', `${id} ${text}`);
  }

  #lost(id: NodeId, text: string): never {
    throw new Violation('acknowledged stays stored', `${id} gave ${text}`);
  }
}
