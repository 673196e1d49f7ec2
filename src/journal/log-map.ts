/**
 * What the log consists of and where each entry lies.
 *
 * Built by the scan at the start and kept up by the writer. Positions are derived
 * from the segments and held nowhere else, so there is nothing they could disagree
 * with.
 */

import { membershipOf } from '../consensus/core/membership/membership.ts';
import type {
  EntryId,
  HardState,
  LogIndex,
  PlacedMembership,
  Term,
} from '../consensus/core/types.ts';
import { CONFIG_TAG, type EntryTag, type PlacedEntry, type ScanVisitor } from './scan.ts';
import type { SegmentHead } from './segment-head.ts';
import { TermRuns } from './term-runs.ts';

/** The entries of one segment that are part of the log: consecutive ones. */
interface SegmentMap {
  readonly ordinal: number;
  readonly base: EntryId;
  readonly offsets: number[];
  readonly sizes: number[];
}

/** Where one entry's record lies. */
export interface Place {
  readonly index: LogIndex;
  readonly ordinal: number;
  readonly offset: number;
  readonly bytes: number;
}

export interface Damage {
  readonly ordinal: number;
  readonly offset: number;
  readonly reason: string;
}

export class LogMap implements ScanVisitor {
  readonly #tag: number;
  #segments: SegmentMap[] = [];
  #terms = new TermRuns([{ index: 0, term: 0 }]);
  /** Entries that carry the tag, or change the configuration, by rising index. */
  #noted: { readonly index: LogIndex; readonly tag: EntryTag }[] = [];
  #damage: Damage | undefined;
  /** Of the segment that is being scanned. */
  #scanned = 0;
  hardState: HardState = { term: 0, vote: '', commit: 0 };
  promiseMs = 0;
  /** The configuration in force when the last hard state was written, or before. */
  placed: PlacedMembership = { index: 0, membership: membershipOf({}) };

  /** @param tag commands whose data begins with this byte are remembered, see `tagged` */
  constructor(tag: number) {
    this.#tag = tag;
  }

  get base(): EntryId {
    return this.#terms.base;
  }

  get lastIndex(): LogIndex {
    return this.#terms.lastIndex;
  }

  /** The base and the runs of terms behind it. */
  get runs(): readonly [EntryId, ...EntryId[]] {
    return this.#terms.runs;
  }

  /** The first damage; entries behind it are no part of the log. */
  get damage(): Damage | undefined {
    return this.#damage;
  }

  /** Indexes of the tagged commands in the log, rising. */
  get tagged(): readonly LogIndex[] {
    return this.#noted.filter(({ tag }) => tag === this.#tag).map(({ index }) => index);
  }

  /** Indexes of the entries in the log that change the configuration, rising. */
  get configs(): readonly LogIndex[] {
    return this.#noted.filter(({ tag }) => tag === CONFIG_TAG).map(({ index }) => index);
  }

  /** Ordinals of the segments that the log needs, rising. */
  get ordinals(): readonly number[] {
    return this.#segments.map((segment) => segment.ordinal);
  }

  get isEmpty(): boolean {
    return this.#segments.length === 0;
  }

  termAt(index: LogIndex): Term | undefined {
    return this.#terms.termAt(index);
  }

  /** What is heard from here on stands in that segment. */
  beginScan(ordinal: number): void {
    this.#scanned = ordinal;
  }

  /** A segment begins: the log is what it was up to its base, or the base alone. */
  onHead({ base, ordinal, isReset, hardState, promiseMs, placed }: SegmentHead): void {
    // Heads stand twice, and say the same.
    if (this.#segments.at(-1)?.ordinal === ordinal) return;
    if (isReset || this.#segments.length === 0) {
      this.#segments = [];
      this.#terms = new TermRuns([base]);
      this.#noted = [];
      // What is damaged in front of a head that needs nothing in front of it is no loss;
      // an earlier segment that has no head at all is one.
      if (isReset || this.#damage?.ordinal === ordinal) this.#damage = undefined;
    } else if (this.#terms.termAt(base.index) === base.term) {
      // What was damaged behind the base is replaced.
      this.#truncateAfter(base.index);
      this.#damage = undefined;
    } else {
      const reason = `the log ends at ${this.lastIndex}, this segment follows ${base.index}`;
      this.#note({ ordinal, offset: 0, reason });
    }
    this.#segments.push({ ordinal, base, offsets: [], sizes: [] });
    this.hardState = hardState;
    this.onPromise(promiseMs);
    this.placed = placed;
  }

  onEntry({ index, term, offset, bytes, tag }: PlacedEntry): void {
    const segment = this.#segments.at(-1);
    if (segment === undefined || this.#damage !== undefined) return;
    if (index !== this.lastIndex + 1) {
      const reason = `entry ${index} follows entry ${this.lastIndex}`;
      this.#note({ ordinal: segment.ordinal, offset, reason });
      return;
    }
    segment.offsets.push(offset);
    segment.sizes.push(bytes);
    this.#terms.append(index, term);
    if (tag === this.#tag || tag === CONFIG_TAG) this.#noted.push({ index, tag });
  }

  onHardState(hardState: HardState): void {
    // Behind damage the commit index speaks of entries that are not here, while others,
    // which were replaced, may stand in their places again.
    const { commit } = this.#damage === undefined ? hardState : this.hardState;
    this.hardState = { ...hardState, commit };
  }

  onPromise(promiseMs: number): void {
    this.promiseMs = Math.max(this.promiseMs, promiseMs);
  }

  onMembership(placed: PlacedMembership): void {
    if (placed.index >= this.placed.index) this.placed = placed;
  }

  onDamage(offset: number, reason: string): void {
    this.#note({ ordinal: this.#scanned, offset, reason });
  }

  /** Where the entries of `[from, to)` lie, as many as fit into `bytesMax`, one at least. */
  locate(from: LogIndex, to: LogIndex, bytesMax: number): readonly Place[] {
    const places: Place[] = [];
    let bytesTotal = 0;
    for (const { ordinal, base, offsets, sizes } of this.#segments) {
      const first = base.index + 1;
      const end = Math.min(to, first + offsets.length);
      for (let index = Math.max(from, first); index < end; index += 1) {
        const bytes = sizes[index - first] as number;
        bytesTotal += bytes;
        if (bytesTotal > bytesMax && places.length > 0) return places;
        places.push({ index, ordinal, offset: offsets[index - first] as number, bytes });
      }
    }
    return places;
  }

  /** Forgets segments all of whose entries are below `floor`; returns their ordinals. */
  dropBelow(floor: LogIndex): readonly number[] {
    const dropped: number[] = [];
    // The last segment stays: it is being written.
    while (this.#segments.length > 1) {
      const next = this.#segments[1] as SegmentMap;
      if (next.base.index >= floor) break;
      dropped.push((this.#segments.shift() as SegmentMap).ordinal);
      if (next.base.index > this.base.index) this.#terms.dropThrough(next.base.index);
    }
    const { base } = this;
    this.#noted = this.#noted.filter(({ index }) => index > base.index);
    return dropped;
  }

  #truncateAfter(index: LogIndex): void {
    this.#terms.truncateAfter(index);
    this.#noted = this.#noted.filter((noted) => noted.index <= index);
    for (const { base, offsets, sizes } of this.#segments) {
      const keep = Math.max(0, index - base.index);
      offsets.length = Math.min(offsets.length, keep);
      sizes.length = Math.min(sizes.length, keep);
    }
  }

  #note(damage: Damage): void {
    this.#damage ??= damage;
  }
}
