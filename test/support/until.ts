/** Waits for a condition; says what it waited for when the time is over. */

export async function until(
  isReached: () => boolean | Promise<boolean>,
  what: string | (() => string),
  withinMs = 10_000,
): Promise<void> {
  const endAt = performance.now() + withinMs;
  while (!(await isReached())) {
    if (performance.now() > endAt) {
      const text = typeof what === 'string' ? what : what();
      throw new Error(`not within ${withinMs} ms: ${text}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
