/**
 * Verifies, at every moment of true time and with clocks that drift:
 * - one lease: at no moment do two members have a lease that was not handed over
 * - lease over when elected: nobody is elected while another's lease lasts, for who is
 *   elected may serve at once
 * - one tenure: never is a service or an address held on two members
 *
 * Not here: that anybody has a lease, or serves.
 */

import type { NodeId } from '../../../src/consensus/core/types.ts';
import { Violation } from '../violation.ts';

export class Leases {
  readonly #holders = new Set<NodeId>();
  /** Until when, in true time, each member's last lease lasts; 0 once it was handed over. */
  readonly #untilMs = new Map<NodeId, number>();

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
