/**
 * How far each data directory was seen to be durable, so that one which comes back older
 * is known for what it is: a copy that was restored (safety rule 24). It has forgotten
 * votes and acknowledgements that others count on.
 *
 * Kept as long as this process runs, and of what was surely synced only: a loss of power
 * takes back nothing of it.
 */

/** Of one data directory: its term, its vote in it, and how much of its log is committed. */
export interface DurableState {
  readonly term: number;
  /** Empty for none. */
  readonly vote: string;
  readonly commit: number;
}

const KEPT_MAX = 256;

export class SeenStates {
  readonly #seen = new Map<string, DurableState>();

  /** A data directory is durable up to there. */
  note(incarnation: string, { term, vote, commit }: DurableState): void {
    const before = this.#seen.get(incarnation) ?? { term: 0, vote: '', commit: 0 };
    const isNewer = term > before.term || (term === before.term && before.vote === '');
    this.#seen.delete(incarnation);
    this.#seen.set(incarnation, {
      ...(isNewer ? { term, vote } : { term: before.term, vote: before.vote }),
      commit: Math.max(commit, before.commit),
    });
    const oldest = this.#seen.keys().next().value;
    if (this.#seen.size > KEPT_MAX && oldest !== undefined) this.#seen.delete(oldest);
  }

  /** @param isWhole nothing is known to be lost of it; what is damaged says so, and is mended */
  isOlder(
    incarnation: string,
    { term, vote, commit, isWhole }: DurableState & { readonly isWhole: boolean },
  ): boolean {
    const seen = this.#seen.get(incarnation);
    if (seen === undefined) return false;
    const isVoteLost = term === seen.term && seen.vote !== '' && vote !== seen.vote;
    return term < seen.term || isVoteLost || (isWhole && commit < seen.commit);
  }
}
