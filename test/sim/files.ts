/**
 * A simulated file pipeline: entries take a while to be applied, capture a while to be
 * armed. Now and then what is applied is saved, and the log before it is dropped; what was
 * saved survives a crash.
 */

import type { ApplyWork } from '../../src/consensus/core/ready.ts';
import type { EntryId } from '../../src/consensus/core/types.ts';
import type { PlacedTenureRecord } from '../../src/consensus/host/tenure-records.ts';
import type { FilesPort } from '../../src/daemon/primary-control.ts';
import type { Checks } from './checks/checks.ts';
import type { Chance } from './random.ts';
import { readTenure } from './tenure-text.ts';
import type { World } from './world.ts';

/** The files as of an entry. */
export interface FilesState {
  readonly position: EntryId;
  /** The last tenure record up to there. */
  readonly tenure: PlacedTenureRecord | undefined;
}

export const NO_FILES: FilesState = { position: { index: 0, term: 0 }, tenure: undefined };

export interface FilesParts {
  readonly id: string;
  readonly world: World;
  readonly chance: Chance;
  readonly checks: Checks;
  /** Entries that are applied before they are saved; 0 saves never. */
  readonly saveEvery: number;
  /** Runs in the daemon's process, if it is still the same, or when that goes on. */
  run(act: () => void): void;
  onApplied(work: ApplyWork): void;
  onChange(): void;
  /** The state is durable. */
  onSaved(state: FilesState): void;
  /** And the log up to about there is not needed. */
  onNotNeeded(upTo: EntryId): void;
}

export class SimFiles implements FilesPort {
  readonly #parts: FilesParts;
  #state: FilesState;
  #saved: FilesState;
  #busyUntilMs = 0;
  #capture: 'off' | 'arming' | 'armed' = 'off';
  #isFlushing = false;
  isFlushed = false;

  constructor(parts: FilesParts, saved: FilesState) {
    this.#parts = parts;
    this.#state = saved;
    this.#saved = saved;
  }

  get state(): FilesState {
    return this.#state;
  }

  get appliedIndex(): number {
    return this.#state.position.index;
  }

  get capture(): 'off' | 'arming' | 'armed' {
    return this.#capture;
  }

  isCaughtUp(index: number): boolean {
    return this.appliedIndex >= index;
  }

  arm(): void {
    this.#capture = 'arming';
    this.#later(20, () => {
      if (this.#capture === 'arming') this.#capture = 'armed';
      this.#parts.onChange();
    });
  }

  disarm(): void {
    this.#capture = 'off';
    this.isFlushed = false;
    this.#isFlushing = false;
  }

  flush(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#later(10, () => {
      this.isFlushed = this.#capture === 'armed';
      this.#parts.onChange();
    });
  }

  apply(work: ApplyWork): void {
    const { world, chance } = this.#parts;
    // In order: each waits for those before it.
    this.#busyUntilMs = Math.max(this.#busyUntilMs, world.nowMs) + chance.around(1);
    world.after(this.#busyUntilMs - world.nowMs, () => this.#parts.run(() => this.#applied(work)));
  }

  /** A state was fetched and is synced; everything up to it counts as applied. */
  install(state: FilesState): void {
    this.#state = state;
    this.#save();
  }

  #applied(work: ApplyWork): void {
    const { id, checks, saveEvery } = this.#parts;
    for (const entry of work.entries) {
      const { index, term } = entry;
      // A state that was taken meanwhile is beyond it.
      if (index <= this.appliedIndex) continue;
      checks.applied(id, entry);
      const record = entry.kind === 'command' ? readTenure(entry) : undefined;
      const tenure = record === undefined ? this.#state.tenure : { index, record };
      this.#state = { position: { index, term }, tenure };
    }
    this.#parts.onApplied(work);
    const isDue = saveEvery > 0 && this.appliedIndex - this.#saved.position.index >= saveEvery;
    if (isDue) {
      this.#save();
      this.#parts.onNotNeeded(this.#state.position);
    }
    this.#parts.onChange();
  }

  #save(): void {
    this.#saved = this.#state;
    this.#parts.onSaved(this.#state);
  }

  #later(meanMs: number, act: () => void): void {
    const { world, chance, run } = this.#parts;
    world.after(chance.around(meanMs), () => run(act));
  }
}
