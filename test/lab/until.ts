/**
 * Waiting in the lab: for a condition, never for an amount of time.
 *
 * The one exception is the length of a fault ("stopped for 300 ms"), which is
 * part of what a test does and not something it hopes for: `lasting`.
 */

import { setTimeout as after } from 'node:timers/promises';

export interface UntilOptions {
  /** How long the condition may take before the wait fails. Default 10 s. */
  readonly timeoutMs?: number;
  /** Pause between two looks. Default 10 ms. */
  readonly everyMs?: number;
}

/**
 * Looks again and again until `look` returns something truthy, and returns it.
 * Fails after the timeout with the name of what was waited for. What `look`
 * throws ends the wait at once: a broken condition never comes true.
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  options: UntilOptions = {},
): Promise<Exclude<T, false | undefined | null | 0 | ''>> {
  const { timeoutMs = 10_000, everyMs = 10 } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found) return found as Exclude<T, false | undefined | null | 0 | ''>;
    if (performance.now() > deadline) {
      throw new Error(`${what}: did not come true within ${timeoutMs} ms`);
    }
    await after(everyMs);
  }
}

/** The length of a fault that a test injects. */
export async function lasting(durationMs: number): Promise<void> {
  await after(durationMs);
}
