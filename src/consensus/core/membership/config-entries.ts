/**
 * The entries of the log that change the configuration and are not in effect yet.
 *
 * Known from the moment at which the log has them, so that nothing need be read when
 * their commit comes, and so that a candidate knows of what it has not taken into effect.
 */

import type { Entry, LogIndex } from '../types.ts';

export class ConfigEntries {
  #pending: Entry[] = [];

  /**
   * Entries were put into the log, replacing whatever stood from the first one on.
   *
   * @param known up to this index changes are in effect already: a member may be told the
   *   configuration before it is sent the entries that led to it
   */
  appended(entries: readonly Entry[], known: LogIndex): void {
    const first = entries[0];
    if (first === undefined) return;
    while ((this.#pending.at(-1)?.index ?? 0) >= first.index) this.#pending.pop();
    for (const entry of entries) {
      if (entry.kind === 'config' && entry.index > known) this.#pending.push(entry);
    }
  }

  /** The log became a state, which has its configuration. */
  restored(): void {
    this.#pending = [];
  }

  /** Whether one at or below `index` is not in effect. */
  hasThrough(index: LogIndex): boolean {
    return (this.#pending[0]?.index ?? Number.POSITIVE_INFINITY) <= index;
  }

  /** Those up to `index` are in effect. */
  dropThrough(index: LogIndex): void {
    while (this.hasThrough(index)) this.#pending.shift();
  }

  /** Takes out the first one, if it lies at or below `index`. */
  takeThrough(index: LogIndex): Entry | undefined {
    return this.hasThrough(index) ? this.#pending.shift() : undefined;
  }
}
