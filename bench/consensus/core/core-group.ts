/**
 * What the two cores are asked to do, in words that fit both.
 *
 * A group is three members in one process, the first of which leads. Their storage is
 * memory that is durable at once, and messages are handed over as they are: nothing is
 * measured but the state machines themselves.
 */

export const MEMBERS: readonly string[] = ['a', 'b', 'c'];

/** The same bounds on both sides; none of them is reached by the largest batch. */
export const LIMITS = {
  electionTicks: 10,
  heartbeatTicks: 1,
  appendBytesMax: 1 << 20,
  inflightMessagesMax: 256,
  unappliedBytesMax: 1 << 26,
} as const;

/** Bytes of each entry's payload. */
export const PAYLOAD_BYTES = 16;

export interface CoreGroup {
  /** Entries that the leader has handed out as committed, its term's first included. */
  readonly committed: number;
  /** Proposes so many entries at once, and carries everything out until nothing is left to do. */
  commit(batch: number): void;
}
