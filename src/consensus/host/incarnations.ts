/**
 * Who is meant by a member's name (safety rule 24).
 *
 * A name stays when a machine's disk is lost, and what the name had promised, voted and
 * acknowledged does not. So each storage has an incarnation of its own, the configuration
 * names (id, incarnation), and to all others the two are different members: nothing that
 * one incarnation says counts for another. Nobody stands whom its own configuration does
 * not name, and nobody votes whom neither that nor the one of who asks names.
 *
 * The words of a leader are heeded whoever it is, as Raft has it (§6): the configuration
 * here may be older than the one that it leads by, and only that leader can tell of the
 * newer one. They count no votes and no copies, and a term has one leader, elected by
 * incarnations that its voters know.
 */

import type { MessageType } from '../core/messages.ts';
import type { Membership, NodeId } from '../core/types.ts';
import type { PeerMessage } from './ports.ts';

/** In place of an incarnation where there is none: whoever has the name is meant. */
export const NO_INCARNATION = '';

const OF_LEADERS: ReadonlySet<MessageType> = new Set(['append', 'heartbeat', 'snapshot']);
const TO_LEADERS: ReadonlySet<MessageType> = new Set(['appendResponse', 'heartbeatResponse']);

/** The incarnation that a configuration names for `id`; `NO_INCARNATION` when it names none. */
export function incarnationIn({ details }: Membership, id: NodeId): string {
  return details[id]?.incarnation ?? NO_INCARNATION;
}

export class Incarnations {
  readonly #own: string;
  /** Of each leader as it was last heard: who answers it means that one. */
  readonly #leaders = new Map<NodeId, string>();
  #isBarred = false;

  /** @param own of this member's storage; `NO_INCARNATION` takes part under its name alone */
  constructor(own: string) {
    this.#own = own;
  }

  /** Why a message must not be heeded, in words; undefined when it may be. */
  refusalOf(received: PeerMessage, membership: Membership): string | undefined {
    const { message, fromIncarnation: from, toIncarnation: to } = received;
    if (to !== NO_INCARNATION && this.#own !== NO_INCARNATION && to !== this.#own) {
      return `${message.from} means incarnation ${to} of ${message.to}, this is ${this.#own}`;
    }
    if (OF_LEADERS.has(message.type)) {
      this.#leaders.set(message.from, from);
      return undefined;
    }
    const named = incarnationIn(membership, message.from);
    if (named === NO_INCARNATION || named === from) return undefined;
    return `${message.from} speaks as incarnation ${from || 'none'}, the configuration names ${named}`;
  }

  /** Who a message is from and whom it is meant for. */
  of(
    { type, to }: PeerMessage['message'],
    membership: Membership,
  ): Pick<PeerMessage, 'fromIncarnation' | 'toIncarnation'> {
    const leader = TO_LEADERS.has(type) ? this.#leaders.get(to) : undefined;
    const toIncarnation = leader ?? incarnationIn(membership, to);
    return { fromIncarnation: this.#own, toIncarnation };
  }

  /**
   * Whether this member may vote for who asks: it takes part, or whoever asks goes by a
   * configuration that names this very storage. That one may be newer than the own, and the
   * vote may be needed before anybody leads who could tell of it (dissertation §4.2.1).
   */
  mayVote({ message, toIncarnation }: PeerMessage, membership: Membership): boolean {
    if (this.#isBarred) return false;
    const isNamed = this.#own !== NO_INCARNATION && toIncarnation === this.#own;
    return isNamed || this.takesPart(membership, message.to);
  }

  /**
   * Whether this member may stand: its storage is the one that its configuration names. One
   * that joined later begins with a configuration that does not know it yet.
   */
  takesPart(membership: Membership, self: NodeId): boolean {
    if (this.#isBarred) return false;
    if (this.#own === NO_INCARNATION) return true;
    // A configuration that tells nobody apart excludes none.
    if (Object.keys(membership.details).length === 0) return membership.voters.length > 0;
    return incarnationIn(membership, self) === this.#own;
  }

  /** The storage turned out to be an older state of itself: it takes no part any more. */
  bar(): void {
    this.#isBarred = true;
  }
}
