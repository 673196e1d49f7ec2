/** The log of a member as an array: what is stored is durable at once. */

import { type LogView, limitBytes } from '../../../src/consensus/core/log/log-view.ts';
import type { AppendWork } from '../../../src/consensus/core/ready.ts';
import type { Entry, LogIndex, Term } from '../../../src/consensus/core/types.ts';

export class MemoryLog implements LogView {
  readonly firstIndex: LogIndex = 1;
  readonly #entries: Entry[] = [];

  get lastIndex(): LogIndex {
    return this.#entries.length;
  }

  termAt(index: LogIndex): Term | undefined {
    return index === 0 ? 0 : this.#entries[index - 1]?.term;
  }

  entries(from: LogIndex, to: LogIndex, bytesMax: number): readonly Entry[] {
    return limitBytes(this.#entries.slice(from - 1, to - 1), bytesMax);
  }

  store({ entries }: AppendWork): void {
    const first = entries[0];
    if (first === undefined) return;
    this.#entries.length = first.index - 1;
    for (const entry of entries) this.#entries.push(entry);
  }
}
