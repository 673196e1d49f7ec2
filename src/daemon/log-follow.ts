/**
 * Follows the log with the files: settles what differs once the log is known to be the
 * leader's (safety rule 16), and puts a fetched state in its place.
 */

import type { PlacedMembership } from '../consensus/core/types.ts';
import type { RaftHost } from '../consensus/host/raft-host.ts';
import type { Position, TenureMark } from '../replication/committed-state.ts';
import type { Replication } from './replication-port.ts';

export class LogFollow {
  readonly #host: RaftHost;
  readonly #replication: Replication;
  /** The report of replication on which it was last told to settle. */
  #settledOn: object | undefined;
  #fetched: { readonly position: Position; readonly tenure: TenureMark | undefined } | undefined;
  /** The configuration at whoever the state is fetched from, as of the listing. */
  #membership: PlacedMembership | undefined;

  constructor(host: RaftHost, replication: Replication) {
    this.#host = host;
    this.#replication = replication;
  }

  /**
   * The member that has the state knows this configuration: it holds every change up to the
   * state, and perhaps some beyond it, which do no harm when they come again.
   */
  fetchingFrom(placed: PlacedMembership): void {
    this.#membership = placed;
    if (placed.index > this.#host.placedMembership.index) this.#host.foresee(placed);
  }

  /** The state at `position` was fetched; the log is to begin after it. */
  fetched(position: Position, tenure: TenureMark | undefined): void {
    this.#fetched = { position, tenure };
  }

  /** @param maySettle nothing of ours runs in the volumes, and capture has ended */
  step(maySettle: boolean): void {
    this.#install();
    // A log that is not whole yet does not tell what survives.
    if (!this.#isLogOfLeader || this.#host.isMuted) return;
    const { status } = this.#replication;
    // One word for each report: settling may have begun anew since the last one.
    if (!maySettle || status.mode !== 'unsettled' || status === this.#settledOn) return;
    this.#settledOn = status;
    const { term } = this.#host.standing;
    const { commit } = this.#host.status;
    this.#replication.settle(commit, `not in the log that won, as of epoch ${term}`);
  }

  /** Something of the present leader's own term is committed here. */
  get #isLogOfLeader(): boolean {
    const { leader, term } = this.#host.standing;
    return leader !== '' && this.#host.termAt(this.#host.status.commit) === term;
  }

  #install(): void {
    if (this.#fetched === undefined) return;
    const { position, tenure } = this.#fetched;
    const { membership, index } = this.#membership ?? this.#host.placedMembership;
    const mark = { ...position, membership, membershipIndex: index };
    // Without a leader there is nobody to tell: it is tried again.
    if (this.#host.installState(mark, tenure)) this.#fetched = undefined;
  }
}
