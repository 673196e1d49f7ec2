/**
 * The files between capture and apply (apply gate, safety rule 9): capture ends, and
 * with it the way for others' changes opens, only once nothing of ours may write there.
 */

import { messageOf } from '../errors.ts';
import type { Logger } from '../platform/log.ts';
import type { Situation } from '../service/decide/situation.ts';
import type { FilesPort } from './primary-control.ts';
import type { Proposals } from './proposals.ts';
import type { Replication } from './replication-port.ts';

export interface FilesGateParts {
  readonly replication: Replication;
  readonly proposals: Proposals;
  readonly log: Logger;
  /** Whether the service may be running here. */
  isServiceHeld(): boolean;
  encodeBarrier(id: number): Uint8Array;
  onChange(): void;
}

/** A flush that still finds files it can not read consistently gives up on them after so long. */
const FLUSH_MS_MAX = 10_000;
const FLUSH_AGAIN_MS = 200;

export class FilesGate implements FilesPort {
  readonly #parts: FilesGateParts;
  #capture: Situation['capture'] = 'off';
  #wantsOff = false;
  #isDisarming = false;
  #flush: 'none' | 'underWay' | 'done' = 'none';
  #flushRun = 0;
  #appliedIndex: number;

  constructor(parts: FilesGateParts) {
    this.#parts = parts;
    this.#appliedIndex = parts.replication.status.state.position.index;
  }

  get capture(): Situation['capture'] {
    // What is about to end must not be taken for armed.
    return this.#wantsOff ? 'arming' : this.#capture;
  }

  get isFlushed(): boolean {
    return this.#flush === 'done';
  }

  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  appliedTo(index: number): void {
    this.#appliedIndex = Math.max(this.#appliedIndex, index);
  }

  isCaughtUp(index: number): boolean {
    const { mode, missing } = this.#parts.replication.status;
    const isWhole = mode === 'following' || mode === 'leading';
    return isWhole && missing === 0 && this.#appliedIndex >= index;
  }

  arm(): void {
    if (this.#parts.replication.status.mode !== 'following') return;
    this.#capture = 'arming';
    this.#flush = 'none';
    this.#parts.replication.arm().then(
      () => {
        if (this.#capture === 'arming') this.#capture = 'armed';
        this.#parts.onChange();
      },
      (error) => this.#armFailed(error),
    );
  }

  disarm(): void {
    this.#wantsOff = true;
    this.#flush = 'none';
    this.#flushRun += 1;
    this.step();
  }

  /** Ends capture if that is wanted and may be. */
  step(): void {
    if (!this.#wantsOff || this.#isDisarming || this.#parts.isServiceHeld()) return;
    this.#isDisarming = true;
    const { replication, proposals, onChange } = this.#parts;
    // From here on own entries come back as anybody's.
    proposals.forgetBatches();
    void replication.disarm().then(() => {
      this.#isDisarming = false;
      this.#wantsOff = false;
      this.#capture = 'off';
      onChange();
    });
  }

  flush(): void {
    if (this.#flush !== 'none') return;
    this.#flush = 'underWay';
    this.#flushRun += 1;
    void this.#flushAll(this.#flushRun);
  }

  /** The service runs again: what was flushed is not all any more. */
  forgetFlush(): void {
    this.#flush = 'none';
    this.#flushRun += 1;
  }

  async #flushAll(run: number): Promise<void> {
    const { replication, proposals, encodeBarrier, log, onChange } = this.#parts;
    const startedAtMs = performance.now();
    while (run === this.#flushRun) {
      try {
        const { uncovered } = await replication.barrier();
        await proposals.decree(encodeBarrier(0));
        const isLate = performance.now() - startedAtMs > FLUSH_MS_MAX;
        if (uncovered.length > 0 && isLate) {
          log.warn({ paths: uncovered.slice(0, 20) }, 'files could not be read and stay behind');
        }
        if (uncovered.length === 0 || isLate) break;
      } catch (error) {
        // The lead may be lost meanwhile; then decisions end the flush.
        log.warn({ reason: messageOf(error) }, 'the last changes are not committed yet');
      }
      await new Promise((resolve) => setTimeout(resolve, FLUSH_AGAIN_MS));
    }
    if (run !== this.#flushRun) return;
    this.#flush = 'done';
    onChange();
  }

  #armFailed(error: unknown): void {
    this.#parts.log.error({ reason: messageOf(error) }, 'capture could not be armed');
    this.disarm();
    this.#parts.onChange();
  }
}
