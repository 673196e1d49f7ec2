/**
 * Gathers captured changes into batches, each one entry of the log.
 *
 * Every change is taken into the index as soon as it is seen, in a layer that becomes
 * durable only when its batch is committed; so the next look compares with what was
 * captured, not with what was committed.
 */

import { assert } from '../../errors.ts';
import type { Change, FileChange } from '../command/change.ts';
import { COMMAND_BYTES_MAX, encodeChanges } from '../command/codec.ts';
import type { FileIndex } from '../index/file-index.ts';

/** A batch is closed when it has grown to about this. */
const BATCH_BYTES = 256 * 1024;
/** What a change costs besides its names and content. */
const CHANGE_BYTES = 160;

export interface Batch {
  /** The layer of the index that the batch made. */
  readonly layer: number;
  readonly data: Buffer;
}

export class Batcher {
  readonly #index: FileIndex;
  readonly #send: (batch: Batch) => void;
  #changes: Change[] = [];
  #bytes = 0;
  #layer: number | undefined;

  constructor(index: FileIndex, send: (batch: Batch) => void) {
    this.#index = index;
    this.#send = send;
  }

  /**
   * Takes a change in, and sends the batch when it is full.
   *
   * @param alongside what this node notes of its own disk in the same layer
   */
  add(change: FileChange, alongside?: () => void): void {
    const bytes = sizeOf(change);
    if (this.#bytes + bytes > COMMAND_BYTES_MAX - CHANGE_BYTES) this.flush();
    this.#layer ??= this.#index.store.beginLayer();
    this.#index.apply(change);
    alongside?.();
    this.#push(change, bytes);
  }

  /** Sends a piece of content ahead of the change that names it. */
  addChunk(hash: Buffer, data: Buffer): void {
    const bytes = data.length + CHANGE_BYTES;
    if (this.#bytes + bytes > COMMAND_BYTES_MAX - CHANGE_BYTES) this.flush();
    this.#layer ??= this.#index.store.beginLayer();
    this.#push({ kind: 'chunk', hash, data }, bytes);
  }

  /** Runs `work` in the layer of the batch, for what belongs to it but is no change. */
  within(work: () => void): void {
    this.#layer ??= this.#index.store.beginLayer();
    work();
  }

  /** Sends what was gathered. */
  flush(): void {
    if (this.#layer === undefined) return;
    this.#index.settleSums();
    const layer = this.#layer;
    const changes = this.#changes;
    this.#layer = undefined;
    this.#changes = [];
    this.#bytes = 0;
    this.#send({ layer, data: changes.length > 0 ? encodeChanges(changes) : NOTHING });
  }

  /** Forgets what was gathered and not sent. */
  discard(): void {
    this.#layer = undefined;
    this.#changes = [];
    this.#bytes = 0;
  }

  #push(change: Change, bytes: number): void {
    this.#changes.push(change);
    this.#bytes += bytes;
    assert(this.#bytes <= COMMAND_BYTES_MAX, `a batch of ${this.#bytes} bytes`);
    if (this.#bytes >= BATCH_BYTES) this.flush();
  }
}

/** The data of a batch that only changed what is this node's own. */
export const NOTHING: Buffer = Buffer.alloc(0);

function sizeOf(change: FileChange): number {
  switch (change.kind) {
    case 'put':
      return CHANGE_BYTES + change.name.length + (change.data?.length ?? change.chunks.length * 40);
    case 'symlink':
      return CHANGE_BYTES + change.name.length + change.target.length;
    case 'mkdir':
    case 'rename':
      return CHANGE_BYTES + change.name.length;
    case 'remove':
    case 'setmeta':
      return CHANGE_BYTES;
  }
}
