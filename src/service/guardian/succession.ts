/**
 * How a guardian takes the place of the one before it: alone in its data directory,
 * and with nothing of an earlier run left (safety rule 7).
 */

import { constants, ftruncateSync, openSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { MailraftError } from '../../errors.ts';
import { bootTimeMs } from '../../platform/linux/clock.ts';
import { tryLock } from '../../platform/linux/files-at.ts';
import { isAlive, type ProcessIdentity, signalProcess } from '../../platform/linux/processes.ts';
import {
  forgetService,
  type LockHolder,
  lockPath,
  readHolder,
  readService,
  writeHolder,
} from './records.ts';

/** How long the kernel may take to end what was killed. */
const GONE_WITHIN_MS = 3000;
const LOOK_MS = 20;

export interface Succession {
  readonly dataDir: string;
  readonly self: LockHolder;
  /** What an earlier guardian, whose daemon is dead, may need to end its tenure. */
  readonly patienceMs: number;
}

/**
 * Resolves when this guardian holds the lock, for as long as it lives, and no process
 * of an earlier service is left.
 *
 * @throws `REFUSED` when another daemon that lives uses the directory
 * @throws `SERVICE_FAILED` when what is left can not be ended
 */
export async function takeOver(succession: Succession): Promise<void> {
  const { dataDir, self } = succession;
  const fd = openSync(lockPath(dataDir), constants.O_RDWR | constants.O_CREAT, 0o600);
  await lock(fd, succession);
  ftruncateSync(fd, 0);
  writeHolder(fd, self);
  for (const process of readService(dataDir)) await end(process, 'the service of an earlier run');
  forgetService(dataDir);
}

async function lock(fd: number, succession: Succession): Promise<void> {
  const { dataDir, self, patienceMs } = succession;
  const patientUntilMs = bootTimeMs() + patienceMs;
  while (bootTimeMs() < patientUntilMs) {
    if (tryLock(fd)) return;
    refuseIfUsed(dataDir, self);
    await wait(LOOK_MS);
  }
  // Stopped, or it hangs: the kernel ends its service with it.
  const before = readHolder(dataDir);
  if (before !== undefined) await end(before.guardian, 'the guardian of an earlier run');
  // A lock is given back a moment after its process was last seen.
  if (await within(GONE_WITHIN_MS, () => tryLock(fd))) return;
  throw new MailraftError(
    'SERVICE_FAILED',
    `${JSON.stringify(lockPath(dataDir))} is locked by a process that is not known: end it, see "fuser ${lockPath(dataDir)}"`,
  );
}

function refuseIfUsed(dataDir: string, self: LockHolder): void {
  const holder = readHolder(dataDir);
  if (holder === undefined || !isAlive(holder.daemon)) return;
  if (holder.daemon.pid === self.daemon.pid) return;
  throw new MailraftError(
    'REFUSED',
    `the data directory ${JSON.stringify(dataDir)} is in use by a running daemon, process ${holder.daemon.pid}: stop that one first, or give this node a dataDir of its own`,
  );
}

async function end(process: ProcessIdentity, what: string): Promise<void> {
  const isGone = () => !signalProcess(process, 'SIGKILL');
  if (await within(GONE_WITHIN_MS, isGone)) return;
  throw new MailraftError(
    'SERVICE_FAILED',
    `${what}, process ${process.pid}, was killed and is still there: it waits for a disk or is frozen, thaw it or restart the machine`,
  );
}

/** Asks until the answer is yes or the time is over. */
async function within(ms: number, isReached: () => boolean): Promise<boolean> {
  const untilMs = bootTimeMs() + ms;
  while (!isReached()) {
    if (bootTimeMs() >= untilMs) return false;
    await wait(LOOK_MS);
  }
  return true;
}
