/**
 * A primary's side: capture runs, its batches are proposed, and count once they come
 * back committed.
 */

import type { Batch } from './capture/batcher.ts';
import { Batcher } from './capture/batcher.ts';
import { type BarrierResult, Capture, type CaptureEvents } from './capture/capture.ts';
import type { Parts } from './parts.ts';
import { summaryOf, type VolumeSummary } from './summary.ts';

interface Proposed {
  readonly sequence: number;
  readonly layer: number;
  readonly bytes: number;
  /** Of each volume, with this batch taken in. */
  readonly summaries: readonly VolumeSummary[];
}

/** Bytes that may be on their way through the log before capture waits. */
const UNDER_WAY_BYTES_MAX = 12 * 1024 * 1024;

export class Lead {
  readonly #parts: Parts;
  readonly #capture: Capture;
  readonly #batcher: Batcher;
  /** Batches that are proposed and not yet committed, in order. */
  readonly #proposed: Proposed[] = [];
  #bytes = 0;
  #lastLayer = 0;
  readonly #sequences: { next: number };
  isArmed = false;

  /** @param sequences where the numbers of proposals go on, across tenures */
  constructor(
    parts: Parts,
    sequences: { next: number },
    { onOverflow, onFailed }: Pick<CaptureEvents, 'onOverflow' | 'onFailed'>,
  ) {
    this.#parts = parts;
    this.#sequences = sequences;
    const { trees, index, local, port } = parts;
    this.#batcher = new Batcher(index, (batch) => this.#propose(batch));
    this.#capture = new Capture({
      trees,
      index,
      local,
      batcher: this.#batcher,
      events: {
        onOverflow: () => {
          onOverflow();
          port.onEvent({ kind: 'overflow' });
        },
        onUnsupported: (volume, path, reason) =>
          port.onEvent({ kind: 'unsupported', volume, path, reason }),
        onFailed,
        hasRoom: () => this.#bytes < UNDER_WAY_BYTES_MAX,
      },
    });
  }

  get dirtyCount(): number {
    return this.#capture.dirtyCount;
  }

  get watchedCount(): number {
    return this.#capture.watchedCount;
  }

  /** Proposals that are not committed yet. */
  get underWayCount(): number {
    return this.#proposed.length;
  }

  async arm(): Promise<void> {
    await this.#capture.arm();
    this.isArmed = true;
  }

  /**
   * Covers what was done before the call; the answer names the last proposal that belongs
   * to it, 0 for none.
   */
  async barrier(): Promise<BarrierResult & { readonly sequence: number }> {
    const result = await this.#capture.barrier();
    return { ...result, sequence: this.#sequences.next - 1 };
  }

  /** An own proposal came back committed; returns the volumes as they are with it. */
  committed(sequence: number): readonly VolumeSummary[] | undefined {
    const first = this.#proposed[0];
    if (first?.sequence !== sequence) return undefined;
    this.#proposed.shift();
    const wasFull = this.#bytes >= UNDER_WAY_BYTES_MAX;
    this.#bytes -= first.bytes;
    // Layers between two batches are this node's own notes: they wait for nothing else.
    const next = this.#proposed[0];
    this.#parts.index.store.commitThrough(next === undefined ? this.#lastLayer : next.layer - 1);
    if (wasFull) this.#capture.resume();
    return first.summaries;
  }

  /** Ends capture; what was not committed is forgotten. */
  close(): void {
    this.#capture.close();
    this.#batcher.discard();
    this.#parts.index.store.rollback();
  }

  #propose({ layer, data }: Batch): void {
    this.#lastLayer = layer;
    if (data.length === 0) {
      if (this.#proposed.length === 0) this.#parts.index.store.commitThrough(layer);
      return;
    }
    const sequence = this.#sequences.next;
    this.#sequences.next += 1;
    const { index, trees, port } = this.#parts;
    const summaries = trees.map(({ number }) => summaryOf(index, number));
    this.#proposed.push({ sequence, layer, bytes: data.length, summaries });
    this.#bytes += data.length;
    port.propose(sequence, data);
  }
}
