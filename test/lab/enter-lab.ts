/**
 * How a test file gets into the lab.
 *
 * As root the tests simply run. Without root the same file is run once more as
 * a child of the test, inside a user namespace where it is root; its results
 * are those of the test. Where neither is possible the file is skipped and the
 * reason is given.
 */

import type { Test } from 'tap';
import { asRootOfUserNamespace, canRun } from './requirements.ts';

/** True where the tests of `file` are to run here; false when that was taken care of. */
export async function enterLab(t: Test, file: string): Promise<boolean> {
  const requirement = canRun();
  if (!requirement.ok) {
    t.plan(0, requirement.reason);
    return false;
  }
  if (!requirement.needsUserNamespace) return true;
  const again = asRootOfUserNamespace([process.execPath, ...process.execArgv, file]);
  const [program = '', ...rest] = again;
  await t.spawn(program, rest, { env: process.env }, 'as root of a user namespace');
  return false;
}
