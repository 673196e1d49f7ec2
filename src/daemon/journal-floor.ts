/**
 * Up to where the journal may be dropped: no member needs it below the floor, which is
 * a decree of the log (safety rule 13). Pure.
 */

export interface FloorSituation {
  /** The last committed floor. */
  readonly floor: number;
  /** What this node needs the journal from. */
  readonly ownNeed: number;
  /** What each other member needs it from; undefined for one that was never heard. */
  readonly needs: readonly (number | undefined)[];
  readonly journalBytes: number;
  readonly maxSizeBytes: number;
}

/** A floor that rises by less is not worth a decree. */
const ENTRIES_MIN = 256;
/** From this part of its greatest size on the journal waits for nobody who is away. */
const PRESSED = 0.75;

/** The floor that the leader is to propose; undefined when it may stay. */
export function floorToPropose(situation: FloorSituation): number | undefined {
  const { floor, ownNeed, needs, journalBytes, maxSizeBytes } = situation;
  const isPressed = journalBytes > maxSizeBytes * PRESSED;
  // Whoever is left behind fetches the state instead.
  const wanted = isPressed ? ownNeed : Math.min(ownNeed, ...needs.map((need) => need ?? 0));
  return wanted >= floor + ENTRIES_MIN ? wanted : undefined;
}
