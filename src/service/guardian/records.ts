/**
 * What a guardian writes down for the one after it: who it is, and which processes
 * are its service. Only of use in the same life of the machine.
 */

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';
import { bootId } from '../../platform/linux/clock.ts';
import type { ProcessIdentity } from '../../platform/linux/processes.ts';

/** Who holds the lock. */
export interface LockHolder {
  readonly guardian: ProcessIdentity;
  readonly daemon: ProcessIdentity;
}

export function lockPath(dataDir: string): string {
  return join(dataDir, 'guardian.lock');
}

/** Undefined when it is not written yet, or by an earlier life of the machine. */
export function readHolder(dataDir: string): LockHolder | undefined {
  const { guardian, daemon } = readRecord(lockPath(dataDir));
  return isIdentity(guardian) && isIdentity(daemon) ? { guardian, daemon } : undefined;
}

export function writeHolder(fd: number, holder: LockHolder): void {
  writeFileSync(fd, `${JSON.stringify({ boot: bootId(), ...holder })}\n`);
}

function servicePath(dataDir: string): string {
  return join(dataDir, 'service.json');
}

/** Processes that were, or were about to become, the service of the last run. */
export function readService(dataDir: string): readonly ProcessIdentity[] {
  const { processes } = readRecord(servicePath(dataDir));
  return Array.isArray(processes) ? processes.filter(isIdentity) : [];
}

/** Not synced: it is of no use after the machine has gone down. */
export async function writeService(
  dataDir: string,
  processes: readonly ProcessIdentity[],
): Promise<void> {
  const text = `${JSON.stringify({ boot: bootId(), processes })}\n`;
  await writeFile(servicePath(dataDir), text, { mode: 0o600 });
}

export function forgetService(dataDir: string): void {
  rmSync(servicePath(dataDir), { force: true });
}

function readRecord(path: string): Partial<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {};
    throw error;
  }
  const record = parsed(text);
  return record['boot'] === bootId() ? record : {};
}

/** A file that was cut off by a crash says nothing. */
function parsed(text: string): Partial<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function isIdentity(value: unknown): value is ProcessIdentity {
  const { pid, startTicks } = (value ?? {}) as Partial<Record<string, unknown>>;
  return Number.isSafeInteger(pid) && (pid as number) > 0 && Number.isSafeInteger(startTicks);
}
