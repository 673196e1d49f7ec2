/** The state machine of the bench: the last value of each key. */

import type { Entry } from '../../../src/consensus/core/types.ts';
import { keyValueOf } from '../clients/member-words.ts';

export class KeyValues {
  readonly #values = new Map<string, Buffer>();

  apply(entries: readonly Entry[]): void {
    for (const { kind, data } of entries) {
      if (kind !== 'command') continue;
      const { key, value } = keyValueOf(data);
      this.#values.set(key, value);
    }
  }

  /** Keys after `after` in their order, with values. */
  list(after: string, countMax: number): readonly (readonly [string, Buffer])[] {
    return [...this.#values]
      .filter(([key]) => key > after)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, countMax);
  }
}
