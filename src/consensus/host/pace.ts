/** How long a tick is, and how many are due: so many make a lease. */

export class Pace {
  readonly #ticksPerLease: number;
  /** The lease that sets the pace; follows a longer one when that is in force. */
  #leaseMs: number;
  #tickedAtMs: number;

  constructor(ticksPerLease: number, leaseMs: number, nowMs: number) {
    this.#ticksPerLease = ticksPerLease;
    this.#leaseMs = leaseMs;
    this.#tickedAtMs = nowMs;
  }

  /** Length of a tick. */
  get tickMs(): number {
    return this.#leaseMs / this.#ticksPerLease;
  }

  /** Another length of the lease was decided; a longer one is not in force yet. */
  decided(leaseMs: number): void {
    this.#leaseMs = Math.min(this.#leaseMs, leaseMs);
  }

  inForce(leaseMs: number): void {
    this.#leaseMs = leaseMs;
  }

  /** Ticks since the last call; what is left of a tick counts the next time. */
  takeDue(nowMs: number): number {
    const due = Math.floor((nowMs - this.#tickedAtMs) / this.tickMs);
    this.#tickedAtMs += due * this.tickMs;
    return due;
  }
}
