/**
 * What this node puts into the log: batches of capture and decrees, in one order.
 *
 * A proposal that the core has no room for waits, and everything behind it too. An
 * own batch is known again when its entry is committed, by index and term.
 */

import type { ProposeResult } from '../consensus/core/raft-core.ts';
import { MailraftError } from '../errors.ts';

export interface PlacedEntry {
  readonly index: number;
  readonly term: number;
}

type Proposal =
  /** A batch of capture; `sequence` is its number there. */
  | { readonly kind: 'batch'; readonly sequence: number; readonly data: Uint8Array }
  | {
      readonly kind: 'decree';
      readonly data: Uint8Array;
      readonly resolve: (placed: PlacedEntry) => void;
      readonly reject: (error: Error) => void;
    };

interface UnderWay {
  readonly term: number;
  readonly atMs: number;
  readonly proposal: Proposal;
}

export interface ProposalsPort {
  propose(data: readonly Uint8Array[]): ProposeResult;
  readonly term: number;
  nowMs(): number;
  /** An own proposal was committed so long after it was made. */
  onCommitted(ms: number): void;
  /** An entry of so many bytes is in the own log. */
  onAccepted(index: number, bytes: number): void;
}

/** Decrees that may wait; batches are bounded by capture itself. */
const DECREES_MAX = 4096;

export class Proposals {
  readonly #port: ProposalsPort;
  readonly #waiting: Proposal[] = [];
  readonly #underWay = new Map<number, UnderWay>();
  #decrees = 0;

  constructor(port: ProposalsPort) {
    this.#port = port;
  }

  /** A batch of capture; nothing is answered, its commit is told by `committed`. */
  batch(sequence: number, data: Uint8Array): void {
    this.#waiting.push({ kind: 'batch', sequence, data });
    this.retry();
  }

  /**
   * A decree; resolves when it is committed.
   *
   * @throws {MailraftError} `NOT_LEADER` when this node does not lead, `TIMED_OUT` when
   *   it lost the lead and the outcome is unknown, `OVERLOADED` when too many wait
   */
  decree(data: Uint8Array): Promise<PlacedEntry> {
    if (this.#decrees >= DECREES_MAX) {
      throw new MailraftError('OVERLOADED', `${DECREES_MAX} decrees wait to be committed`);
    }
    this.#decrees += 1;
    return new Promise<PlacedEntry>((resolve, reject) => {
      this.#waiting.push({ kind: 'decree', data, resolve, reject });
      this.retry();
    }).finally(() => {
      this.#decrees -= 1;
    });
  }

  /** Offers to the core what it had no room for. */
  retry(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const result = this.#port.propose([next.data]);
      if (result.kind === 'dropped' && result.reason !== 'notLeader') return;
      this.#waiting.shift();
      if (result.kind === 'accepted') this.#accepted(next, result.first);
      else if (next.kind === 'decree') {
        next.reject(new MailraftError('NOT_LEADER', 'this node does not lead'));
      }
    }
  }

  /**
   * An entry is committed.
   *
   * @returns the sequence of the own batch that it is, if it is one
   */
  committed({ index, term }: PlacedEntry): number | undefined {
    const underWay = this.#underWay.get(index);
    if (underWay === undefined) return undefined;
    this.#underWay.delete(index);
    const { proposal } = underWay;
    if (underWay.term !== term) {
      if (proposal.kind === 'decree') proposal.reject(replaced());
      return undefined;
    }
    this.#port.onCommitted(this.#port.nowMs() - underWay.atMs);
    if (proposal.kind === 'batch') return proposal.sequence;
    proposal.resolve({ index, term });
    return undefined;
  }

  /**
   * The leader of `term` knows everything up to `commit` as committed: who waits for a
   * decree need not wait until it is on this node's own disk as well.
   */
  committedTo(commit: number, term: number): void {
    if (this.#decrees === 0) return;
    for (const [index, { term: proposedIn, atMs, proposal }] of this.#underWay) {
      if (index > commit || proposedIn !== term || proposal.kind !== 'decree') continue;
      this.#underWay.delete(index);
      this.#port.onCommitted(this.#port.nowMs() - atMs);
      proposal.resolve({ index, term });
    }
  }

  /** The lead is lost: what becomes of the decrees under way nobody knows. */
  leadLost(): void {
    for (const [index, { proposal }] of this.#underWay) {
      if (proposal.kind !== 'decree') continue;
      this.#underWay.delete(index);
      proposal.reject(unknown());
    }
    for (const proposal of this.#waiting.splice(0)) {
      if (proposal.kind === 'decree') proposal.reject(unknown());
    }
  }

  /** Capture ends: its batches are not known again. */
  forgetBatches(): void {
    for (const [index, { proposal }] of this.#underWay) {
      if (proposal.kind === 'batch') this.#underWay.delete(index);
    }
    const decrees = this.#waiting.filter(({ kind }) => kind === 'decree');
    this.#waiting.splice(0, this.#waiting.length, ...decrees);
  }

  #accepted(proposal: Proposal, index: number): void {
    const { term } = this.#port;
    this.#underWay.set(index, { term, atMs: this.#port.nowMs(), proposal });
    this.#port.onAccepted(index, proposal.data.length);
  }
}

function unknown(): MailraftError {
  return new MailraftError('TIMED_OUT', 'this node lost the lead before the commit');
}

function replaced(): MailraftError {
  return new MailraftError('TIMED_OUT', 'another node leads, and the entry was replaced');
}
