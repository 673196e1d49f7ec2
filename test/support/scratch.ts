/**
 * A directory of a test's own, removed only when everything that works in it is
 * closed: the closers run in reverse order, then the directory goes.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

export interface Scratch {
  readonly path: string;
  /** Runs when the test is over, before the directory is removed. */
  onClose(close: () => void | Promise<void>): void;
}

export function scratch(t: Test): Scratch {
  const path = mkdtempSync(join(tmpdir(), 'mailraft-test-'));
  const closers: (() => void | Promise<void>)[] = [];
  t.teardown(async () => {
    for (const close of closers.reverse()) await close();
    rmSync(path, { recursive: true, force: true });
  });
  return { path, onClose: (close) => closers.push(close) };
}
