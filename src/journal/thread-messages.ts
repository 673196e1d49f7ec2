/** What the journal and its thread say to each other. */

import type { EntryId, HardState, LogIndex, PlacedMembership } from '../consensus/core/types.ts';
import type { WriteBatch, WriterOptions } from './journal-writer.ts';
import type { Damage } from './log-map.ts';

/** What the thread found when it opened the journal. */
export interface Recovered {
  /** The base and the runs of terms behind it. */
  readonly runs: readonly [EntryId, ...EntryId[]];
  readonly lastIndex: LogIndex;
  readonly hardState: HardState;
  readonly promiseMs: number;
  /** The configuration that was in force last. */
  readonly placed: PlacedMembership;
  /** Records of the entries beyond it that change the configuration. */
  readonly configs: readonly Uint8Array[];
  /** Records of the commands that begin with the tag. */
  readonly tagged: readonly Uint8Array[];
  readonly damage: Damage | undefined;
  /** The log may lack what was acknowledged of it. */
  readonly isMuted: boolean;
  readonly bytes: number;
}

export type ToThread =
  | { readonly kind: 'write'; readonly batches: readonly WriteBatch[] }
  | Question;

/** What is answered after every write before it. */
export type Question =
  | {
      readonly kind: 'read';
      readonly id: number;
      readonly from: LogIndex;
      readonly to: LogIndex;
      readonly bytesMax: number;
    }
  | { readonly kind: 'setMuted'; readonly id: number; readonly isMuted: boolean }
  | { readonly kind: 'compact'; readonly floor: LogIndex }
  | { readonly kind: 'tails'; readonly id: number }
  | { readonly kind: 'removeTail'; readonly id: number; readonly name: string }
  | { readonly kind: 'close' };

export interface FaultText {
  readonly code: string;
  readonly message: string;
}

export interface TailRecords {
  readonly name: string;
  readonly records: readonly Uint8Array[];
  /** More records followed, that can not be read. */
  readonly isDamaged: boolean;
}

export type FromThread =
  | { readonly kind: 'recovered'; readonly recovered: Recovered }
  /** The next `count` batches are written; `fsyncMs` is how long their sync took, if any. */
  | {
      readonly kind: 'written';
      readonly count: number;
      readonly fsyncMs: number | undefined;
      readonly bytes: number;
    }
  | { readonly kind: 'noSpace'; readonly message: string }
  | { readonly kind: 'space' }
  | { readonly kind: 'read'; readonly id: number; readonly records: readonly Uint8Array[] }
  | { readonly kind: 'compacted'; readonly base: EntryId; readonly bytes: number }
  | {
      readonly kind: 'tails';
      readonly id: number;
      readonly tails: readonly TailRecords[];
    }
  | { readonly kind: 'done'; readonly id: number }
  | { readonly kind: 'failed'; readonly fault: FaultText };

export type ThreadOptions = WriterOptions;
