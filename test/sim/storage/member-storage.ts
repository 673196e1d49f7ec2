/**
 * A member's storage as the simulation sees it: what the host needs, and what a fault
 * does to it. Two versions: a fast model (fast-storage.ts) and the journal itself on
 * simulated files (journal-storage.ts).
 */

import type {
  Entry,
  EntryId,
  LogIndex,
  PlacedMembership,
} from '../../../src/consensus/core/types.ts';
import type { LogStorage } from '../../../src/consensus/host/storage.ts';
import type { DiskImage } from './image.ts';

/** What a new process finds. */
export interface Recovered {
  readonly hardState: DiskImage['hardState'];
  readonly promiseMs: number;
  readonly placed: PlacedMembership;
  /** Entries of the log that change the configuration, or may hold a tenure record. */
  readonly configs: readonly Entry[];
  readonly tagged: readonly Entry[];
  readonly isMuted: boolean;
  /** What is damaged, in words. */
  readonly damage?: string | undefined;
}

/** Thrown by `open` where the storage does not tell any more how this member voted. */
export class VotesLost extends Error {}

/** Thrown by `open` where the disk does not let it. */
export class CanNotOpen extends Error {}

export interface MemberStorage extends LogStorage {
  /** What was reported durable: no crash may take it back. */
  readonly durable: DiskImage;
  /** The disk does not answer. */
  readonly isStalled: boolean;
  /** Something is lost of what was durable once, and the member is not whole again. */
  readonly isDamaged: boolean;

  /** A new process reads what is there. */
  open(): Recovered;
  /** The process ended, and with `isPowerLost` its machine. What was not synced is gone, or not. */
  crash(isPowerLost: boolean): void;
  /** Bits rot; the process is down. */
  damage(): void;
  /** The member has everything again, or not: durable as well. */
  setMuted(isMuted: boolean): void;
  /** A new disk, that nothing is on. */
  wipe(placed: PlacedMembership): void;
  /** The member is told the configuration; its process is down. */
  introduce(placed: PlacedMembership): void;
  /** The log's first entries make room for a state at `position`, before a host is made. */
  begin(position: EntryId, placed: PlacedMembership): void;
  stall(): void;
  fill(): void;
  /** Writes take `factor` times as long. */
  slow(factor: number): void;
  /** The next sync fails, and with it the process. */
  failSync(): void;
  /** Ends stalls, fullness and slowness. */
  relieve(): void;
  compact(floor: LogIndex): void;
}
