/**
 * How long each of the others has been silent, or has stored nothing, in ticks.
 *
 * Counted in every role, so that a leader that was elected because the one before
 * fell silent need not wait for that silence anew.
 */

import { type LogIndex, NO_NODE, type NodeId } from '../types.ts';

export class Hearing {
  #now = 0;
  #ledSince = 0;
  #lastLeader: NodeId = NO_NODE;
  readonly #heardAt = new Map<NodeId, number>();
  /** When the member last stored something, or had everything; counted by a leader. */
  readonly #movedAt = new Map<NodeId, { readonly match: LogIndex; readonly at: number }>();

  tick(): void {
    this.#now += 1;
  }

  /** A message of any kind came from `id`. */
  heard(id: NodeId): void {
    this.#heardAt.set(id, this.#now);
  }

  /** `id` leads: a follower hears from nobody else. */
  follows(id: NodeId): void {
    this.#lastLeader = id;
  }

  /** A leadership begins: only the leader before owed this member a word until now. */
  lead(others: readonly NodeId[]): void {
    this.#ledSince = this.#now;
    this.#movedAt.clear();
    for (const id of others) if (id !== this.#lastLeader) this.#heardAt.set(id, this.#now);
  }

  /** What a leader knows of `id`'s log, once a tick. */
  noteMatch(id: NodeId, match: LogIndex, lastIndex: LogIndex): void {
    const before = this.#movedAt.get(id);
    if (match !== before?.match || match >= lastIndex) {
      this.#movedAt.set(id, { match, at: this.#now });
    }
  }

  /** Ticks for which this member has led. */
  get ledFor(): number {
    return this.#now - this.#ledSince;
  }

  silentFor(id: NodeId): number {
    return this.#now - (this.#heardAt.get(id) ?? 0);
  }

  /** Ticks for which `id` owed entries and stored none. */
  stillFor(id: NodeId): number {
    return this.#now - (this.#movedAt.get(id)?.at ?? this.#ledSince);
  }
}
