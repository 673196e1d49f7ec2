/**
 * The three times that end a tenure, all before the lease does (safety rule 3).
 *
 * The guardian carries each out at its time even if the one before failed or
 * hangs. Once `fenceAtMs` has passed the tenure is over for good.
 */

/** How long each step of an ending tenure may take, in ms. */
export interface EndingTimes {
  /** From being asked to stop until being killed. */
  readonly stopBudgetMs: number;
  /** From being killed until being gone. */
  readonly killMs: number;
  /** For timers that fire late and messages that wait. */
  readonly marginMs: number;
}

/** Absolute times on the machine's boot-time clock, in ms. */
export interface Deadlines {
  /** Drop the address, refuse the ports, ask the service to stop. */
  readonly fenceAtMs: number;
  /** Kill whatever is left of the service. */
  readonly killAtMs: number;
  /** By now nothing of it exists: the lease ends. */
  readonly deadByMs: number;
}

/** The deadlines of a tenure whose lease ends at `leaseEndMs`. */
export function deadlinesOf(leaseEndMs: number, times: EndingTimes): Deadlines {
  const { stopBudgetMs, killMs, marginMs } = times;
  const killAtMs = leaseEndMs - killMs - marginMs;
  return { fenceAtMs: killAtMs - stopBudgetMs, killAtMs, deadByMs: leaseEndMs };
}

/** How long before the end of its lease a tenure begins to end, in ms. */
export function fenceLeadMs({ stopBudgetMs, killMs, marginMs }: EndingTimes): number {
  return stopBudgetMs + killMs + marginMs;
}
