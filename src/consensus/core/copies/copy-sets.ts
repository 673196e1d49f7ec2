/**
 * The copy sets of a log: which data voters must hold an entry before it commits in
 * a group with a witness (safety rule 23).
 *
 * A set is in force at a leader from the moment at which its log has the decree,
 * committed or not; one whose entry is replaced never was. The last one committed is
 * part of the membership.
 */

import { votersOf } from '../quorum/joint.ts';
import type { Entry, LogIndex, Membership, NodeId } from '../types.ts';
import { copySetIn } from './decree.ts';

interface PlacedCopySet {
  readonly index: LogIndex;
  readonly ids: readonly NodeId[];
}

type MatchOf = (id: NodeId) => LogIndex;

/** Voters that hold the data: all but the witness. */
export function dataVotersOf(membership: Membership): readonly NodeId[] {
  return votersOf(membership).filter((id) => id !== membership.witness);
}

export class CopySets {
  /** Decrees that the log holds and that are not committed yet, by rising index. */
  #placed: PlacedCopySet[] = [];

  /**
   * Entries were put into the log, replacing whatever stood from the first one on.
   *
   * @param known up to this index decrees are part of the membership already
   */
  appended(entries: readonly Entry[], known: LogIndex = 0): void {
    const first = entries[0];
    if (first === undefined) return;
    while ((this.#placed.at(-1)?.index ?? 0) >= first.index) this.#placed.pop();
    for (const entry of entries) {
      const ids = entry.index > known ? copySetIn(entry) : undefined;
      if (ids !== undefined) this.#placed.push({ index: entry.index, ids });
    }
  }

  /** Decrees up to `index` are part of the membership now. */
  committed(index: LogIndex): void {
    while ((this.#placed[0]?.index ?? Number.POSITIVE_INFINITY) <= index) this.#placed.shift();
  }

  /** The log became a state, and nothing after it. */
  restored(): void {
    this.#placed = [];
  }

  /** The set in force: of the last decree in the log. */
  inForce(membership: Membership): readonly NodeId[] {
    return presentIn(membership, this.#placed.at(-1)?.ids ?? membership.copySet);
  }

  /** The highest index that every member of the set in force holds. */
  reach(membership: Membership, matchOf: MatchOf): LogIndex {
    return leastMatch(this.inForce(membership), matchOf);
  }

  /**
   * The highest index that the witness may know of: whoever it can help to lead
   * holds everything up to there. A new set counts for it only once all of its
   * members hold the decree, so that the decree is what the witness first gets by it.
   */
  witnessReach(membership: Membership, matchOf: MatchOf): LogIndex {
    let reach = Number.POSITIVE_INFINITY;
    for (const { index, ids } of this.#placed.toReversed()) {
      reach = Math.min(reach, leastMatch(presentIn(membership, ids), matchOf));
      if (reach >= index) return reach;
    }
    return Math.min(reach, leastMatch(presentIn(membership, membership.copySet), matchOf));
  }
}

/** Those that still are data voters; all of these when nobody is left, or nothing was decreed. */
function presentIn(membership: Membership, ids: readonly NodeId[]): readonly NodeId[] {
  const data = dataVotersOf(membership);
  const present = ids.filter((id) => data.includes(id));
  return present.length > 0 ? present : data;
}

function leastMatch(ids: readonly NodeId[], matchOf: MatchOf): LogIndex {
  return Math.min(...ids.map(matchOf));
}
