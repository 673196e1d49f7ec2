/**
 * Tells the daemon the status: after every change, but not more often than it can be
 * of use; at once when it is something that is decided by.
 */

import type { HistoryRecord } from '../command/decree.ts';
import type { ReplicatorStatus } from '../status.ts';
import type { StatusParcel } from './messages.ts';

/** Changes that nothing hangs on are told together, ms. */
const TOGETHER_MS = 20;

export class StatusReporter {
  readonly #read: () => ReplicatorStatus;
  readonly #send: (parcel: StatusParcel) => void;
  #last: ReplicatorStatus | undefined;
  #history: readonly HistoryRecord[] | undefined;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(read: () => ReplicatorStatus, send: (parcel: StatusParcel) => void) {
    this.#read = read;
    this.#send = send;
  }

  /** The status may be another one. */
  changed(): void {
    const status = this.#read();
    if (this.#last === undefined || isDecisive(this.#last, status)) {
      this.#tell(status);
      return;
    }
    if (this.#timer !== undefined) return;
    const waitMs = this.#sentAtMs + TOGETHER_MS - performance.now();
    if (waitMs <= 0) this.#tell(status);
    else this.#timer = setTimeout(() => this.flush(), waitMs);
  }

  /** Tells it as it is, whatever has changed. */
  flush(): void {
    this.#tell(this.#read());
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #tell(status: ReplicatorStatus): void {
    this.stop();
    if (this.#last !== undefined && isSame(this.#last, status)) return;
    const { history } = status.state;
    const isKnown = history === this.#history;
    this.#last = status;
    this.#history = history;
    this.#sentAtMs = performance.now();
    this.#send({
      status: { ...status, state: { ...status.state, history: [] } },
      history: isKnown ? undefined : history,
    });
  }
}

/** Whether decisions hang on what differs. */
function isDecisive(a: ReplicatorStatus, b: ReplicatorStatus): boolean {
  return (
    a.mode !== b.mode ||
    a.isArmed !== b.isArmed ||
    a.missing !== b.missing ||
    a.problem !== b.problem ||
    a.state.isBaselined !== b.state.isBaselined ||
    a.state.tenure !== b.state.tenure ||
    a.state.leaseMs !== b.state.leaseMs ||
    a.state.floor !== b.state.floor
  );
}

function isSame(a: ReplicatorStatus, b: ReplicatorStatus): boolean {
  const { volumes: volumesOfA, ...restOfA } = a;
  const { volumes: volumesOfB, ...restOfB } = b;
  const isRestSame = Object.entries(restOfA).every(
    ([key, value]) => value === restOfB[key as keyof typeof restOfB],
  );
  return isRestSame && JSON.stringify(volumesOfA) === JSON.stringify(volumesOfB);
}
