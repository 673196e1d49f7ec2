/** A simulated file pipeline: entries take a while to be applied, capture a while to be armed. */

import type { ApplyWork } from '../../src/consensus/core/ready.ts';
import type { RaftHost } from '../../src/consensus/host/raft-host.ts';
import type { FilesPort } from '../../src/daemon/primary-control.ts';
import type { MemberParts } from './member.ts';

export class SimFiles implements FilesPort {
  readonly #parts: MemberParts;
  /** Runs in the daemon's process, if it is still the same and not stopped. */
  readonly #run: (act: () => void) => void;
  #host: RaftHost | undefined;
  #onChange: () => void = () => undefined;
  #busyUntilMs = 0;
  #capture: 'off' | 'arming' | 'armed' = 'off';
  #flushedAt = 0;
  isFlushed = false;
  appliedIndex = 0;

  constructor(parts: MemberParts, run: (act: () => void) => void) {
    this.#parts = parts;
    this.#run = run;
  }

  begin(host: RaftHost, onChange: () => void): void {
    this.#host = host;
    this.#onChange = onChange;
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
    });
  }

  disarm(): void {
    this.#capture = 'off';
    this.isFlushed = false;
    this.#flushedAt = 0;
  }

  flush(): void {
    if (this.#flushedAt > 0) return;
    this.#flushedAt = 1;
    this.#later(10, () => {
      this.isFlushed = this.#capture === 'armed';
    });
  }

  apply(work: ApplyWork): void {
    const { id, checks } = this.#parts;
    this.#later(
      1,
      () => {
        for (const entry of work.entries) {
          // A mark that was taken meanwhile is beyond it.
          if (entry.index <= this.appliedIndex) continue;
          checks.applied(id, entry);
          this.appliedIndex = entry.index;
        }
        this.#host?.applied(work);
      },
      true,
    );
  }

  #later(meanMs: number, act: () => void, inOrder = false): void {
    const { world, chance } = this.#parts;
    let delayMs = chance.around(meanMs);
    if (inOrder) {
      this.#busyUntilMs = Math.max(this.#busyUntilMs, world.nowMs) + delayMs;
      delayMs = this.#busyUntilMs - world.nowMs;
    }
    world.after(delayMs, () =>
      this.#run(() => {
        act();
        this.#onChange();
      }),
    );
  }
}
