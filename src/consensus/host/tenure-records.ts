/**
 * The tenure records in this member's log, the last of which decides whether a
 * hand-over may lift the vote silence (safety rule 1).
 *
 * Records leave when their entries are replaced, so this always speaks of the log
 * as it stands, committed or not.
 */

import type { Entry, LogIndex, NodeId, Term } from '../core/types.ts';

/**
 * A tenure that was opened (`tenure`), or closed with the service and address
 * reported gone (`handover`).
 */
export type TenureRecord =
  | { readonly kind: 'tenure'; readonly term: Term; readonly holder: NodeId }
  | {
      readonly kind: 'handover';
      readonly term: Term;
      readonly holder: NodeId;
      readonly to: NodeId;
    };

/** A record and the index of its entry. */
export interface PlacedTenureRecord {
  readonly index: LogIndex;
  readonly record: TenureRecord;
}

/** Reads the tenure record in an entry, if it holds one. */
export type TenureReader = (entry: Entry) => TenureRecord | undefined;

export class TenureRecords {
  readonly #read: TenureReader;
  #placed: PlacedTenureRecord[];

  /** @param placed the records that the log holds at the start, by rising index */
  constructor(read: TenureReader, placed: readonly PlacedTenureRecord[]) {
    this.#read = read;
    this.#placed = [...placed];
  }

  get last(): PlacedTenureRecord | undefined {
    return this.#placed.at(-1);
  }

  /** Entries were put into the log, replacing whatever stood from the first one on. */
  appended(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    while (this.#placed.length > 0 && (this.last as PlacedTenureRecord).index >= first.index) {
      this.#placed.pop();
    }
    for (const entry of entries) {
      const record = entry.kind === 'command' ? this.#read(entry) : undefined;
      if (record !== undefined) this.#placed.push({ index: entry.index, record });
    }
  }

  /** The log became the state at `index`, of which `last` is the last record. */
  restored(last: PlacedTenureRecord | undefined): void {
    this.#placed = last === undefined ? [] : [last];
  }

  /** Records below `committed` but the last cannot be replaced any more and are forgotten. */
  committed(index: LogIndex): void {
    const keep = this.#placed.findLastIndex((placed) => placed.index <= index);
    if (keep > 0) this.#placed.splice(0, keep);
  }

  /** Whether the last record hands the lead of `term` to `to`, at `handover`. */
  handsOver(to: NodeId, term: Term, handover: LogIndex): boolean {
    const { last } = this;
    if (last?.record.kind !== 'handover' || last.index !== handover) return false;
    return last.record.to === to && last.record.term === term;
  }
}
