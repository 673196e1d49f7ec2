/**
 * The entries of the log that change the configuration and are not in effect yet.
 *
 * Known from the moment at which the log has them, so that nothing need be read when
 * their commit comes, and so that a candidate knows of what it has not taken into effect.
 */

import type { Entry, LogIndex } from '../types.ts';

export class ConfigEntries {
  #pending: Entry[] = [];

  /** Entries were put into the log, replacing whatever stood from the first one on. */
  appended(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    while ((this.#pending.at(-1)?.index ?? 0) >= first.index) this.#pending.pop();
    for (const entry of entries) if (entry.kind === 'config') this.#pending.push(entry);
  }

  /** The log became a state, which has its configuration. */
  restored(): void {
    this.#pending = [];
  }

  /** Whether one at or below `index` is not in effect. */
  hasThrough(index: LogIndex): boolean {
    return (this.#pending[0]?.index ?? Number.POSITIVE_INFINITY) <= index;
  }

  /** Takes out the first one, if it lies at or below `index`. */
  takeThrough(index: LogIndex): Entry | undefined {
    return this.hasThrough(index) ? this.#pending.shift() : undefined;
  }
}
