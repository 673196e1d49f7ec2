/** Metadata between the log's terms and the disk's. */

import { closeSync, fchmodSync } from 'node:fs';
import { systemCode } from '../../errors.ts';
import {
  chownAt,
  type FileStat,
  openDirectoryAt,
  openFileAt,
  setMtime,
  setMtimeAt,
} from '../../platform/linux/files-at.ts';
import type { Meta } from '../command/change.ts';

export function metaOf(stat: FileStat): Meta {
  const { mode, uid, gid, mtime } = stat;
  return { mode, uid, gid, mtimeSeconds: mtime.seconds, mtimeNanoseconds: mtime.nanoseconds };
}

const timeOf = ({ mtimeSeconds, mtimeNanoseconds }: Meta) => ({
  seconds: mtimeSeconds,
  nanoseconds: mtimeNanoseconds,
});

/**
 * Gives metadata to files, as far as this process may.
 *
 * A daemon without root cannot give files away; it counts what it had to leave, for
 * status to say so.
 */
export class MetaWriter {
  readonly #uid = process.geteuid?.() ?? 0;
  readonly #gid = process.getegid?.() ?? 0;
  /** Files whose owner could not be set. */
  ownersRefused = 0;

  /** Owner and mode of an open file or directory, then its time. */
  setOpen(fd: number, meta: Meta, place: { readonly dir: number; readonly name: Buffer }): void {
    this.#setOwner(place, meta);
    // After the owner, for a change of owner clears the set-user-id bit.
    fchmodSync(fd, meta.mode);
    setMtime(fd, timeOf(meta));
  }

  /** Metadata of a directory that stays where it is. */
  setDirectory(place: { readonly dir: number; readonly name: Buffer }, meta: Meta): void {
    const fd = openDirectoryAt(place.dir, place.name);
    try {
      this.setOpen(fd, meta, place);
    } finally {
      closeSync(fd);
    }
  }

  /** Metadata of a file that stays where it is. */
  setFile(place: { readonly dir: number; readonly name: Buffer }, meta: Meta): void {
    const fd = openFileAt(place.dir, place.name);
    try {
      this.setOpen(fd, meta, place);
    } finally {
      closeSync(fd);
    }
  }

  /** Owner and time of a symbolic link; its mode means nothing. */
  setLink(place: { readonly dir: number; readonly name: Buffer }, meta: Meta): void {
    this.#setOwner(place, meta);
    setMtimeAt(place.dir, place.name, timeOf(meta));
  }

  #setOwner(place: { readonly dir: number; readonly name: Buffer }, { uid, gid }: Meta): void {
    // New files are the process's own already.
    if (this.#uid !== 0 && uid === this.#uid && gid === this.#gid) return;
    try {
      chownAt(place.dir, place.name, uid, gid);
    } catch (error) {
      if (systemCode(error) !== 'EPERM') throw error;
      this.ownersRefused += 1;
    }
  }
}
