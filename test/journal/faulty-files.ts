/** The real files, with faults that a test switches on. */

import { type JournalFiles, realFiles } from '../../src/journal/files.ts';

export class FaultyFiles implements JournalFiles {
  /** Bytes that may still be written before the disk is full. */
  spaceLeft = Number.POSITIVE_INFINITY;
  /** Code that the next sync fails with. */
  syncFault: string | undefined;
  /** Code that the next write fails with. */
  writeFault: string | undefined;
  syncs = 0;

  makeDirectory = realFiles.makeDirectory;
  list = realFiles.list;
  readAll = realFiles.readAll;
  create = realFiles.create;
  openForReading = realFiles.openForReading;
  read = realFiles.read;
  truncate = realFiles.truncate;
  close = realFiles.close;
  rename = realFiles.rename;
  remove = realFiles.remove;
  syncDirectory = realFiles.syncDirectory;

  append(fd: number, parts: readonly Uint8Array[]): void {
    if (this.writeFault !== undefined) throw systemError(this.writeFault);
    const bytes = Buffer.concat(parts);
    const fits = Math.min(bytes.length, this.spaceLeft);
    // A full disk takes what fits before it says so.
    if (fits > 0) realFiles.append(fd, [bytes.subarray(0, fits)]);
    this.spaceLeft -= fits;
    if (fits < bytes.length) throw systemError('ENOSPC');
  }

  sync(fd: number): void {
    if (this.syncFault !== undefined) throw systemError(this.syncFault);
    this.syncs += 1;
    realFiles.sync(fd);
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}
