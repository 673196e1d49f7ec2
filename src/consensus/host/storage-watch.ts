/**
 * Watches how long the storage takes (architecture.md, "Failing storage").
 *
 * A write that is half an election timeout old means a leader that cannot write,
 * which is no leader: with the silence that the voters then still owe it, another
 * one leads within two. It is believed again only when that same write returned and
 * a further one succeeded. A storage without space has answered, and
 * is no such storage: its leader has the time to give its place away.
 */

import type { NodeId } from '../core/types.ts';

/** Share of the lease, which is the shortest election timeout, after which a write has stalled. */
const STALL_SHARE = 1 / 2;

export class StorageWatch {
  /** When each write that is under way began, in ms, oldest first. */
  readonly #begunAtMs: number[] = [];
  #isProving = false;
  #isFull = false;

  begin(nowMs: number): void {
    this.#begunAtMs.push(nowMs);
  }

  /** @returns whether a further write is wanted, to prove that the storage is back */
  end(): boolean {
    this.#begunAtMs.shift();
    return this.#isProving && this.#begunAtMs.length === 0;
  }

  /** The storage has no space, or has space again. */
  setFull(isFull: boolean, nowMs: number): void {
    this.#isFull = isFull;
    // What waited for space begins only now.
    if (!isFull) this.#begunAtMs.fill(nowMs);
  }

  /**
   * @param copySet whose copies a leader's commits need; empty where a majority will do
   * @returns true when a leader must make place: the storage is found stalled just now, or
   *   has no space while its copy is needed, so that not even a hand-over could commit
   */
  check(nowMs: number, leaseMs: number, copySet: readonly NodeId[] = []): boolean {
    if (this.#isFull && copySet.length > 1) return true;
    const oldest = this.#begunAtMs[0];
    if (this.#isFull || this.#isProving || oldest === undefined) return false;
    if (nowMs - oldest <= leaseMs * STALL_SHARE) return false;
    this.#isProving = true;
    return true;
  }

  /** The further write succeeded. */
  proved(): void {
    this.#isProving = false;
  }

  /** Whether this member must neither lead nor vote because of its storage. */
  get isStalled(): boolean {
    return this.#isProving;
  }

  /** Whether no vote and no term could be stored. */
  get isFull(): boolean {
    return this.#isFull;
  }
}
