/**
 * The witness as a member of its group: log and host, and no files (safety rule 23).
 *
 * Nothing has to be done about what is committed, so it is applied as soon as it is told,
 * and the journal keeps none of it: what it needs of the past is the last entry's term,
 * the configuration and what it promised.
 */

import type { Config } from '../../config/config.ts';
import type { Membership, PlacedMembership } from '../../consensus/core/types.ts';
import type { HostEvents, PeerMessage, Standing } from '../../consensus/host/ports.ts';
import { RaftHost } from '../../consensus/host/raft-host.ts';
import type { Journal } from '../../journal/journal.ts';
import { hostOptions } from '../raft-settings.ts';

export interface WitnessMemberParts {
  readonly config: Config;
  readonly journal: Journal;
  readonly placed: PlacedMembership;
  /** Of this data directory. */
  readonly incarnation: string;
  send(message: PeerMessage): void;
  nowMs(): number;
  random(below: number): number;
  onMembership(membership: Membership): void;
  onStanding(standing: Standing): void;
  onSpace(hasSpace: boolean): void;
  onMuted(isMuted: boolean): void;
  onFailed(error: Error): void;
}

const COMPACT_EVERY_MS = 1000;

export class WitnessMember {
  readonly #parts: WitnessMemberParts;
  readonly host: RaftHost;
  readonly #compacting: NodeJS.Timeout;
  #ticking: NodeJS.Timeout;
  #isClosed = false;
  #compactedTo = 0;
  hasSpace = true;

  constructor(parts: WitnessMemberParts) {
    this.#parts = parts;
    const { config, journal, placed, incarnation } = parts;
    const { hardState, firstIndex, lastIndex, promiseMs, isMuted } = journal;
    const commit = Math.min(Math.max(hardState.commit, firstIndex - 1), lastIndex);
    this.host = new RaftHost(
      hostOptions(config, incarnation, config.timing.leaseMs),
      {
        hardState: { ...hardState, commit },
        membership: placed.membership,
        membershipIndex: placed.index,
        configs: journal.configs,
        applied: commit,
        longestPromiseMs: promiseMs,
        tenureRecords: [],
        isMuted,
      },
      {
        storage: journal,
        events: this.#hostEvents(),
        // Hand-over records are data: whoever lifts a promise by one must have it.
        readTenure: () => undefined,
        random: (below) => parts.random(below),
        send: (message) => parts.send(message),
        nowMs: () => parts.nowMs(),
      },
    );
    // It has no data to lead with, whatever the configuration says of it.
    this.host.setEligible(false);
    this.#ticking = setTimeout(() => this.#tick(), this.host.tickMs);
    this.#compacting = setInterval(() => this.#compact(), COMPACT_EVERY_MS);
  }

  receive(messages: readonly PeerMessage[]): void {
    if (!this.#isClosed) this.host.receive(messages);
  }

  reportUnreachable(peer: string): void {
    if (!this.#isClosed) this.host.reportUnreachable(peer);
  }

  /** Nothing more is decided or sent. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#ticking);
    clearInterval(this.#compacting);
  }

  #tick(): void {
    // What peers sent meanwhile is heard before the clock is looked at.
    setImmediate(() => {
      if (!this.#isClosed) this.host.advance();
    });
    this.#ticking = setTimeout(() => this.#tick(), this.host.tickMs);
  }

  #compact(): void {
    const { applied } = this.host.status;
    if (applied <= this.#compactedTo) return;
    this.#compactedTo = applied;
    this.host.compact(applied + 1);
  }

  #hostEvents(): HostEvents {
    const { journal, onMembership, onStanding, onSpace, onMuted, onFailed } = this.#parts;
    return {
      onStanding,
      onMembership,
      onApply: (work) => this.host.applied(work),
      // There is nothing to fetch: the state is here as soon as it is named.
      onStateNeeded: (mark) => this.host.installState(mark, undefined),
      onSpace: (hasSpace) => {
        this.hasSpace = hasSpace;
        onSpace(hasSpace);
      },
      onMuted: (isMuted) => {
        void journal.setMuted(isMuted);
        onMuted(isMuted);
      },
      onStorageFailed: onFailed,
    };
  }
}
