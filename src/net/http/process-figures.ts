/** What the process uses of its machine, read when asked. */

import { readdirSync } from 'node:fs';

export interface ProcessFigures {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Since 1970. */
  readonly startSeconds: number;
  readonly openFiles: number;
}

// Once: the wall clock may be set while the process runs.
const startSeconds = Date.now() / 1000 - process.uptime();

export function readProcessFigures(): ProcessFigures {
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    startSeconds,
    // Without the one that reads the directory.
    openFiles: readdirSync('/proc/self/fd').length - 1,
  };
}
