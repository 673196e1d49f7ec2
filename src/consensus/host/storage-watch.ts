/**
 * Watches how long the storage takes (architecture.md, "Failing storage").
 *
 * A write that is older than an election timeout means a leader that cannot
 * write, which is no leader; and it is believed again only when that same write
 * returned and a further one succeeded.
 */

export class StorageWatch {
  /** When each write that is under way began, in ms, oldest first. */
  readonly #begunAtMs: number[] = [];
  #isProving = false;

  begin(nowMs: number): void {
    this.#begunAtMs.push(nowMs);
  }

  /** @returns whether a further write is wanted, to prove that the storage is back */
  end(): boolean {
    this.#begunAtMs.shift();
    return this.#isProving && this.#begunAtMs.length === 0;
  }

  /** @returns true when the storage is found stalled just now */
  check(nowMs: number, limitMs: number): boolean {
    const oldest = this.#begunAtMs[0];
    if (this.#isProving || oldest === undefined || nowMs - oldest <= limitMs) return false;
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
}
