/**
 * Verifies, at every moment of true time and with clocks that drift:
 * - one lease: at no moment do two members have a lease that was not handed over
 * - lease over when elected: nobody is elected while another's lease lasts, for who is
 *   elected may serve at once
 * - a lease rests on promises: while it lasts, a quorum of the leader's configuration votes
 *   for nobody (looked at when the voters have been the same for long)
 * - one tenure: never is a service or an address held on two members
 *
 * Not here: that anybody has a lease, or serves.
 */

import type { Membership, NodeId } from '../../../src/consensus/core/types.ts';
import { Violation } from '../violation.ts';
import { isQuorum } from './configurations.ts';
import type { WatchedMembers } from './watched.ts';

/** After so long nothing that was promised to earlier voters counts any more. */
const SETTLED_MS = 10_000;
/** What rounding may make of a moment. */
const SLACK_MS = 0.001;

export class Leases {
  readonly #members: WatchedMembers;
  /** Since when each leader has gone by the same configuration. */
  readonly #since = new Map<NodeId, { membership: Membership; atMs: number }>();
  readonly #holders = new Set<NodeId>();
  /** Until when, in true time, each member's last lease lasts; 0 once it was handed over. */
  readonly #untilMs = new Map<NodeId, number>();

  constructor(members: WatchedMembers) {
    this.#members = members;
  }

  get holder(): NodeId | undefined {
    return [...this.#holders][0];
  }

  /** The lease of `id` lasts until `untilMs` of true time. */
  leased(id: NodeId, untilMs: number, nowMs: number): void {
    this.#untilMs.set(id, untilMs);
    if (untilMs <= nowMs) return;
    for (const [other, otherUntilMs] of this.#untilMs) {
      if (other === id || otherUntilMs <= nowMs) continue;
      throw new Violation('one lease', `${id} has one and so has ${other}`);
    }
  }

  /** The lease of `id` rests on the voters in `membership`. */
  rests(id: NodeId, membership: Membership, untilMs: number, nowMs: number): void {
    const since = this.#since.get(id);
    if (since?.membership !== membership) {
      this.#since.set(id, { membership, atMs: nowMs });
      return;
    }
    if (nowMs - since.atMs < SETTLED_MS) return;
    const silent = [...this.#members.values()].filter(
      (member) => member.id === id || member.silentUntilMs >= untilMs - SLACK_MS,
    );
    if (isQuorum(membership, new Set(silent.map((member) => member.id)))) return;
    const text = `of ${id}'s voters only ${silent.map((member) => member.id).join(' ')} are silent`;
    throw new Violation('a lease rests on promises', text);
  }

  /** @param isPast whether a member is in a later term already */
  elected(id: NodeId, nowMs: number, isPast: (id: NodeId) => boolean): void {
    for (const [other, untilMs] of this.#untilMs) {
      // One that learns late that it was elected in a past term gets no lease in it.
      if (other === id || untilMs <= nowMs || isPast(other)) continue;
      throw new Violation('lease over when elected', `${other} when ${id} was elected`);
    }
  }

  /** The service or the address is held by `id`, or no more. */
  held(id: NodeId, isHeld: boolean): void {
    if (isHeld) this.#holders.add(id);
    else this.#holders.delete(id);
    if (this.#holders.size > 1) {
      throw new Violation('one tenure', `${[...this.#holders].join(' and ')} hold the service`);
    }
  }
}
