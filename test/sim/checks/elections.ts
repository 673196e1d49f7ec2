/**
 * Verifies:
 * - election safety: at most one leader a term (Raft figure 3)
 * - monotonic term: a member's term does not go back while it runs
 * - terms come of elections: nobody is in a term for which nobody stood (dissertation §9.6)
 * - one vote a term: no storage gives its vote to two candidates of a term (its own to
 *   itself counts only once that is stored, which nobody sees here)
 *
 * Not here: that a leader holds what is committed (commits.ts), that a vote is stored
 * (acknowledgements.ts).
 */

import type { NodeId, Term } from '../../../src/consensus/core/types.ts';
import type { Standing } from '../../../src/consensus/host/ports.ts';
import { Violation } from '../violation.ts';

export class Elections {
  readonly #leaders = new Map<Term, NodeId>();
  /** Terms for which somebody stood; term 0 is everybody's. */
  readonly #held = new Set<Term>([0]);
  readonly #terms = new Map<NodeId, Term>();
  /** Votes by storage and term. */
  readonly #votes = new Map<string, Map<Term, NodeId>>();

  /** Somebody stood for the lead of `term`. */
  heldFor(term: Term): void {
    this.#held.add(term);
  }

  /** A process starts; what was never stored is nothing to go back from. */
  restarted(id: NodeId, term: Term): void {
    this.#terms.set(id, term);
  }

  termOf(id: NodeId): Term | undefined {
    return this.#terms.get(id);
  }

  /** @returns whether `id` leads a term that it did not lead before */
  standing(id: NodeId, { role, term }: Standing): boolean {
    if (term < (this.#terms.get(id) ?? 0)) {
      throw new Violation('monotonic term', `${id} went back to term ${term}`);
    }
    this.#terms.set(id, term);
    if (role === 'candidate' || role === 'leader') {
      this.heldFor(term);
    } else if (!this.#held.has(term)) {
      throw new Violation('terms come of elections', `${id} is in term ${term} without one`);
    }
    if (role !== 'leader') return false;
    const other = this.#leaders.get(term);
    if (other !== undefined && other !== id) {
      throw new Violation('election safety', `${other} and ${id} lead term ${term}`);
    }
    this.#leaders.set(term, id);
    return other === undefined;
  }

  /** A storage gave its vote. */
  voted(incarnation: string, term: Term, candidate: NodeId): void {
    let votes = this.#votes.get(incarnation);
    if (votes === undefined) {
      votes = new Map();
      this.#votes.set(incarnation, votes);
    }
    const other = votes.get(term);
    if (other !== undefined && other !== candidate) {
      throw new Violation(
        'one vote a term',
        `${incarnation} voted for ${other} and ${candidate} in term ${term}`,
      );
    }
    votes.set(term, candidate);
  }
}
