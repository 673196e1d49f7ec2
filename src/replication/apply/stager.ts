/**
 * Puts files on disk in one step: written under a name of its own in the workspace,
 * with all its metadata, then renamed to where it belongs. Nobody ever sees a file
 * that is half there.
 */

import { closeSync, writeSync } from 'node:fs';
import { systemCode } from '../../errors.ts';
import {
  createFileAt,
  makeDirectoryAt,
  openDirectoryAt,
  removeFileAt,
  renameAt,
  statAt,
  symlinkAt,
} from '../../platform/linux/files-at.ts';
import type { Meta } from '../command/change.ts';
import type { MetaWriter } from '../volume/meta.ts';
import { type Signature, signatureOf } from '../volume/signature.ts';
import type { PlaceOnDisk, VolumeTree } from '../volume/volume-tree.ts';

export class Stager {
  readonly #meta: MetaWriter;
  #serial = 0;

  constructor(meta: MetaWriter) {
    this.#meta = meta;
  }

  get meta(): MetaWriter {
    return this.#meta;
  }

  /** Puts a file whose content is at hand. */
  putFile(tree: VolumeTree, place: PlaceOnDisk, data: Uint8Array, meta: Meta): Signature {
    const staged = this.begin(tree);
    try {
      staged.write(data);
      return staged.finish(place, meta);
    } catch (error) {
      staged.discard();
      throw error;
    }
  }

  /** Begins a file whose content comes in pieces. */
  begin(tree: VolumeTree): StagedFile {
    this.#serial += 1;
    return new StagedFile(tree, Buffer.from(`file-${this.#serial}`), this.#meta);
  }

  putSymlink(tree: VolumeTree, place: PlaceOnDisk, target: Buffer, meta: Meta): Signature {
    this.#serial += 1;
    const staged = { dir: tree.stagingFd, name: Buffer.from(`link-${this.#serial}`) };
    symlinkAt(target, staged.dir, staged.name);
    try {
      this.#meta.setLink(staged, meta);
      renameAt(staged, place);
    } catch (error) {
      removeFileAt(staged.dir, staged.name);
      throw error;
    }
    return signatureOf(statAt(place.dir, place.name), Date.now());
  }

  /** Makes a directory; one that is there already is given the metadata. */
  makeDirectory(place: PlaceOnDisk, meta: Meta): void {
    try {
      makeDirectoryAt(place.dir, place.name);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
      // Anything but a directory is not ours to walk into.
      closeSync(openDirectoryAt(place.dir, place.name));
    }
    this.#meta.setDirectory(place, meta);
  }
}

/** A file on its way: in the workspace until it is finished. */
export class StagedFile {
  readonly #staged: PlaceOnDisk;
  readonly #fd: number;
  readonly #meta: MetaWriter;
  #isOpen = true;

  constructor(tree: VolumeTree, name: Buffer, meta: MetaWriter) {
    this.#staged = { dir: tree.stagingFd, name };
    this.#fd = createFileAt(tree.stagingFd, name);
    this.#meta = meta;
  }

  write(data: Uint8Array): void {
    for (let at = 0; at < data.length; ) at += writeSync(this.#fd, data, at);
  }

  /** Gives it its metadata and its place. */
  finish(place: PlaceOnDisk, meta: Meta): Signature {
    this.#meta.setOpen(this.#fd, meta, this.#staged);
    this.#close();
    renameAt(this.#staged, place);
    // Nobody but us writes here: what it looks like now is what we wrote.
    return { ...signatureOf(statAt(place.dir, place.name), Date.now()), racy: false };
  }

  discard(): void {
    this.#close();
    removeFileAt(this.#staged.dir, this.#staged.name);
  }

  #close(): void {
    if (this.#isOpen) closeSync(this.#fd);
    this.#isOpen = false;
  }
}
