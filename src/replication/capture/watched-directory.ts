/**
 * The directories that are watched, as a tree that follows renames.
 *
 * What happened to a file is remembered by its directory (this object) and its name,
 * not by a path: a directory that is renamed takes everything that is pending in it
 * along (safety rule 19).
 */

import { closeSync } from 'node:fs';
import { openDirectoryAt, statOf } from '../../platform/linux/files-at.ts';
import type { Inotify } from '../../platform/linux/inotify.ts';
import type { FileId } from '../command/change.ts';
import { isAbsence, type VolumeTree } from '../volume/volume-tree.ts';

export interface WatchedDirectory {
  readonly tree: VolumeTree;
  /** Its identity in the index. */
  id: FileId;
  readonly inode: bigint;
  readonly watch: number;
  /** Undefined for a volume's root. */
  parent: WatchedDirectory | undefined;
  name: Buffer;
  readonly children: Map<string, WatchedDirectory>;
  /** No longer part of the volume. */
  isGone: boolean;
}

export const keyOf = (name: Buffer): string => name.toString('latin1');

export class WatchedDirectories {
  readonly #inotify: Inotify;
  readonly #byWatch = new Map<number, WatchedDirectory>();
  readonly #byInode = new Map<string, WatchedDirectory>();
  /** Descriptors opened in this cycle. */
  readonly #open = new Map<WatchedDirectory, number>();

  constructor(inotify: Inotify) {
    this.#inotify = inotify;
  }

  get count(): number {
    return this.#byWatch.size;
  }

  findByWatch(watch: number): WatchedDirectory | undefined {
    return this.#byWatch.get(watch);
  }

  findByInode(tree: VolumeTree, inode: bigint): WatchedDirectory | undefined {
    return this.#byInode.get(`${tree.number}/${inode}`);
  }

  /** Watches an open directory, before anything in it is looked at. */
  add(
    tree: VolumeTree,
    fd: number,
    id: FileId,
    place: { readonly parent: WatchedDirectory; readonly name: Buffer } | undefined,
  ): WatchedDirectory {
    const watch = this.#inotify.watch(fd);
    const { inode } = statOf(fd);
    const name = place?.name ?? Buffer.alloc(0);
    const directory: WatchedDirectory = {
      tree,
      id,
      inode,
      watch,
      parent: place?.parent,
      name,
      children: new Map(),
      isGone: false,
    };
    this.#byWatch.set(watch, directory);
    this.#byInode.set(`${tree.number}/${inode}`, directory);
    place?.parent.children.set(keyOf(name), directory);
    return directory;
  }

  move(directory: WatchedDirectory, parent: WatchedDirectory, name: Buffer): void {
    this.#leaveParent(directory);
    directory.parent = parent;
    directory.name = name;
    parent.children.set(keyOf(name), directory);
    // What was open below it may be reached by another path by now.
    this.release();
  }

  /** The directory and everything below it are no longer part of the volume. */
  remove(directory: WatchedDirectory): void {
    this.#leaveParent(directory);
    this.#forget(directory);
  }

  /**
   * The kernel has ended the watch: the directory is no more, and another one may have its
   * name and its inode. What was in it is gone as well, or found where it was moved to.
   */
  ended(watch: number): void {
    const directory = this.#byWatch.get(watch);
    if (directory === undefined) return;
    directory.isGone = true;
    this.#leaveParent(directory);
    this.#drop(directory);
  }

  /** Names from the volume's root down to the directory. */
  pathOf(directory: WatchedDirectory): Buffer[] {
    const names: Buffer[] = [];
    for (let at = directory; at.parent !== undefined; at = at.parent) names.unshift(at.name);
    return names;
  }

  /**
   * The directory, opened by its path and proven to be the very one by its inode;
   * undefined when its path leads elsewhere by now.
   */
  open(directory: WatchedDirectory): number | undefined {
    if (directory.isGone) return undefined;
    if (directory.parent === undefined) return directory.tree.rootFd;
    const known = this.#open.get(directory);
    if (known !== undefined) return known;
    const parent = this.open(directory.parent);
    if (parent === undefined) return undefined;
    let fd: number;
    try {
      fd = openDirectoryAt(parent, directory.name);
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
    if (statOf(fd).inode !== directory.inode) {
      closeSync(fd);
      return undefined;
    }
    this.#open.set(directory, fd);
    return fd;
  }

  /** Closes what was opened; between two pieces of work, never within one. */
  release(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  clear(): void {
    this.release();
    for (const watch of this.#byWatch.keys()) this.#inotify.unwatch(watch);
    this.#byWatch.clear();
    this.#byInode.clear();
  }

  #forget(directory: WatchedDirectory): void {
    directory.isGone = true;
    this.#inotify.unwatch(directory.watch);
    this.#drop(directory);
    for (const child of directory.children.values()) this.#forget(child);
    directory.children.clear();
  }

  #leaveParent(directory: WatchedDirectory): void {
    const siblings = directory.parent?.children;
    if (siblings?.get(keyOf(directory.name)) === directory) siblings.delete(keyOf(directory.name));
  }

  #drop(directory: WatchedDirectory): void {
    if (this.#byWatch.get(directory.watch) === directory) this.#byWatch.delete(directory.watch);
    const key = `${directory.tree.number}/${directory.inode}`;
    if (this.#byInode.get(key) === directory) this.#byInode.delete(key);
  }
}
