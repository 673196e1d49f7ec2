/**
 * How far each data directory was seen to be durable, so that one which comes back older
 * is known for what it is: a copy that was restored (safety rule 24). It has forgotten
 * votes and acknowledgements that others count on.
 *
 * Kept as long as this process runs, and of what was surely synced only: a loss of power
 * takes back nothing of it.
 */

/** Of one data directory: its term, and how much of its log it knows as committed. */
export interface DurableState {
  readonly term: number;
  readonly commit: number;
  /** Nothing is known to be lost of it; what is damaged says so, and does not vote. */
  readonly isWhole: boolean;
}

const KEPT_MAX = 256;

export class SeenStates {
  readonly #seen = new Map<string, Pick<DurableState, 'term' | 'commit'>>();

  /** A data directory is durable up to there. */
  note(incarnation: string, { term, commit }: Pick<DurableState, 'term' | 'commit'>): void {
    const before = this.#seen.get(incarnation);
    this.#seen.delete(incarnation);
    this.#seen.set(incarnation, {
      term: Math.max(term, before?.term ?? 0),
      commit: Math.max(commit, before?.commit ?? 0),
    });
    const oldest = this.#seen.keys().next().value;
    if (this.#seen.size > KEPT_MAX && oldest !== undefined) this.#seen.delete(oldest);
  }

  isOlder(incarnation: string, { term, commit, isWhole }: DurableState): boolean {
    const seen = this.#seen.get(incarnation);
    if (seen === undefined) return false;
    return term < seen.term || (isWhole && commit < seen.commit);
  }
}
