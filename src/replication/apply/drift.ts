/**
 * The disk is not what the index says: someone else wrote into a follower's volume,
 * or a crash left it between two states.
 *
 * Never a reason to overwrite: what is found goes through reconciling, which keeps
 * aside what nobody else has (safety rule 9, apply gate).
 */

import { MailraftError } from '../../errors.ts';
import type { FileId } from '../command/change.ts';

/** A name in a directory of a volume, by the directory's identity. */
export interface Slot {
  readonly volume: number;
  readonly parent: FileId;
  readonly name: Buffer;
}

export class Drift extends MailraftError {
  readonly slots: readonly Slot[];

  constructor(slots: readonly Slot[], what: string) {
    super('PRECONDITION_FAILED', what);
    this.slots = slots;
  }
}
