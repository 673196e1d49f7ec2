/**
 * Turns kernel events into marks, and watches directories as they come and go.
 */

import { closeSync } from 'node:fs';
import { MailraftError } from '../../errors.ts';
import { type FileStat, openDirectoryAt, statOf } from '../../platform/linux/files-at.ts';
import { EVENT, type Inotify, type InotifyEvent } from '../../platform/linux/inotify.ts';
import { type FileId, ROOT_ID } from '../command/change.ts';
import type { FileIndex } from '../index/file-index.ts';
import { isSurely, type LocalState } from '../index/local-state.ts';
import { isAbsence, type VolumeTree } from '../volume/volume-tree.ts';
import type { Mark, Marks } from './marks.ts';
import { keyOf, WatchedDirectories, type WatchedDirectory } from './watched-directory.ts';

/** A file that is open is taken this often. */
const OPEN_MS = 1000;
/** The second half of a rename follows at once, or never. */
export const MOVE_WAIT_MS = 50;
/** First halves of renames that are remembered. */
const MOVES_MAX = 1024;

const COMES_OR_GOES = EVENT.create | EVENT.delete | EVENT.movedFrom | EVENT.movedTo;

export class Watcher {
  readonly #index: FileIndex;
  readonly #local: LocalState;
  readonly #marks: Marks;
  readonly watched: WatchedDirectories;
  /** Directories whose own metadata may have changed. */
  readonly changed = new Set<WatchedDirectory>();
  /** First halves of renames, by their cookie. */
  readonly #moves = new Map<number, Mark>();

  constructor(inotify: Inotify, index: FileIndex, local: LocalState, marks: Marks) {
    this.#index = index;
    this.#local = local;
    this.#marks = marks;
    this.watched = new WatchedDirectories(inotify);
  }

  /** Watches every directory anew and marks whatever does not look as it is known. */
  async watchAll(trees: readonly VolumeTree[]): Promise<void> {
    this.watched.clear();
    this.#marks.clear();
    this.changed.clear();
    this.#moves.clear();
    for (const tree of trees) {
      const root = this.watched.add(tree, tree.rootFd, ROOT_ID, undefined);
      await this.#watchBelow(root, tree.rootFd);
    }
  }

  /** Takes an event of a volume. Throws when the volume is gone. */
  take({ watch, mask, cookie, name }: InotifyEvent): void {
    const directory = this.watched.findByWatch(watch);
    if (directory === undefined) return;
    if ((mask & EVENT.unmount) !== 0) {
      const { name: volume } = directory.tree;
      throw new MailraftError(
        'STORAGE_FAILED',
        `the file system of volume ${volume} was unmounted`,
      );
    }
    if ((mask & EVENT.ignored) !== 0) {
      this.watched.ended(watch);
      return;
    }
    if (name.length === 0) {
      this.changed.add(directory);
      return;
    }
    const isDirectory = (mask & EVENT.isDirectory) !== 0;
    if (this.#isExcluded(directory, name, isDirectory)) return;
    if ((mask & COMES_OR_GOES) !== 0) this.changed.add(directory);
    this.#mark(directory, name, { mask, cookie });
  }

  /** A directory appeared, or moved: it is watched first, then everything in it is marked. */
  async enter(parent: WatchedDirectory, name: Buffer, id: FileId, serial: number): Promise<void> {
    const fd = this.#open(parent, name);
    if (fd === undefined) {
      this.#marks.set(parent, name, { serial });
      return;
    }
    try {
      const known = this.watched.findByInode(parent.tree, statOf(fd).inode);
      const isSame = known?.id === id && known.parent === parent;
      if (isSame && keyOf(known.name) === keyOf(name)) {
        this.changed.add(known);
        return;
      }
      if (known !== undefined) {
        // With another identity nothing in it is in the index yet.
        known.id = id;
        this.watched.move(known, parent, name);
      }
      const directory = known ?? this.watched.add(parent.tree, fd, id, { parent, name });
      await this.#markAll(directory, fd, serial);
      // Whatever was on its way in there when it moved is found by looking once more.
      for (const child of directory.children.values()) await this.#markBelow(child, serial);
    } finally {
      closeSync(fd);
    }
  }

  statIn(directory: WatchedDirectory, name: Buffer): FileStat | undefined {
    const dir = this.watched.open(directory);
    return dir === undefined ? undefined : directory.tree.stat({ dir, name });
  }

  isReachable(directory: WatchedDirectory): boolean {
    return this.watched.open(directory) !== undefined;
  }

  /** The open directory, if it is where it was last seen and the index has it. */
  findPlaced(directory: WatchedDirectory): number | undefined {
    const record = this.#index.find(directory.tree.number, directory.id);
    return record?.type === 'directory' ? this.watched.open(directory) : undefined;
  }

  #mark(
    directory: WatchedDirectory,
    name: Buffer,
    { mask, cookie }: { readonly mask: number; readonly cookie: number },
  ): void {
    if ((mask & EVENT.delete) !== 0) {
      this.#marks.set(directory, name, { isGone: true });
    } else if ((mask & EVENT.movedFrom) !== 0) {
      const dueAtMs = performance.now() + MOVE_WAIT_MS;
      this.#noteMove(cookie, this.#marks.set(directory, name, { isGone: true, dueAtMs }));
    } else if ((mask & (EVENT.modify | EVENT.create)) !== 0) {
      this.#markOpen(directory, name, mask);
    } else {
      this.#marks.set(directory, name, {});
      if ((mask & EVENT.movedTo) !== 0) this.#endMove(cookie);
    }
  }

  /** A file that is being written is looked at when it is closed, or now and then. */
  #markOpen(directory: WatchedDirectory, name: Buffer, mask: number): void {
    const isCreated = (mask & EVENT.create) !== 0;
    if (isCreated && this.#isComplete(directory, name, mask)) {
      this.#marks.set(directory, name, {});
      return;
    }
    const known = this.#marks.find(directory, name);
    if (known !== undefined && !known.isGone) return;
    this.#marks.set(directory, name, { dueAtMs: performance.now() + OPEN_MS });
  }

  /** Nobody will close a directory, a link, or a second name of a file. */
  #isComplete(directory: WatchedDirectory, name: Buffer, mask: number): boolean {
    if ((mask & EVENT.isDirectory) !== 0) return true;
    const stat = this.statIn(directory, name);
    return stat !== undefined && (stat.type !== 'file' || stat.links > 1);
  }

  #noteMove(cookie: number, mark: Mark): void {
    this.#moves.set(cookie, mark);
    const [oldest] = this.#moves.keys();
    if (this.#moves.size > MOVES_MAX && oldest !== undefined) this.#moves.delete(oldest);
  }

  /** Both halves of a rename are known: the old name need not be waited for. */
  #endMove(cookie: number): void {
    const mark = this.#moves.get(cookie);
    this.#moves.delete(cookie);
    if (mark?.isGone === true) this.#marks.release(mark);
  }

  async #markBelow(directory: WatchedDirectory, serial: number): Promise<void> {
    const fd = this.watched.open(directory);
    if (fd !== undefined) await this.#markAll(directory, fd, serial);
    for (const child of directory.children.values()) await this.#markBelow(child, serial);
  }

  /** Marks everything in a directory on disk, and everything the index has there. */
  async #markAll(directory: WatchedDirectory, fd: number, serial: number): Promise<void> {
    const names = await this.#namesIn(directory, fd, serial);
    for (const name of names) this.#marks.set(directory, name, { isHint: true, serial });
  }

  async #watchBelow(directory: WatchedDirectory, fd: number): Promise<void> {
    for (const name of await this.#namesIn(directory, fd)) {
      await this.#watchEntry(directory, fd, name);
    }
  }

  /** Names on disk that are replicated; marks those that only the index has as gone. */
  async #namesIn(directory: WatchedDirectory, fd: number, serial?: number): Promise<Buffer[]> {
    const { tree, id } = directory;
    this.changed.add(directory);
    const names = new Map(tree.namesIn(fd).map((name) => [keyOf(name), name]));
    const about = serial === undefined ? { isGone: true } : { isGone: true, serial };
    for (const { name } of await this.#index.children(tree.number, id)) {
      if (!names.has(keyOf(name))) this.#marks.set(directory, name, about);
    }
    return [...names.values()].filter((name) => {
      const stat = tree.stat({ dir: fd, name });
      return stat !== undefined && !this.#isExcluded(directory, name, stat.type === 'directory');
    });
  }

  async #watchEntry(directory: WatchedDirectory, dir: number, name: Buffer): Promise<void> {
    const { tree } = directory;
    const stat = tree.stat({ dir, name });
    if (stat === undefined) return;
    const id = this.#index.lookUp(tree.number, directory.id, name);
    const record = id === undefined ? undefined : this.#index.find(tree.number, id);
    if (id === undefined || record?.type !== 'directory' || stat.type !== 'directory') {
      const known = id === undefined ? undefined : this.#local.signature(tree.number, id);
      const isSame = record !== undefined && isSurely(known, record, stat);
      if (!isSame) this.#marks.set(directory, name, { isHint: true });
      return;
    }
    const fd = this.#open(directory, name);
    if (fd === undefined) {
      this.#marks.set(directory, name, { isHint: true });
      return;
    }
    try {
      const child = this.watched.add(tree, fd, id, { parent: directory, name });
      await this.#watchBelow(child, fd);
    } finally {
      closeSync(fd);
    }
  }

  #open(parent: WatchedDirectory, name: Buffer): number | undefined {
    const dir = this.watched.open(parent);
    if (dir === undefined) return undefined;
    try {
      return openDirectoryAt(dir, name);
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  }

  #isExcluded(directory: WatchedDirectory, name: Buffer, isDirectory: boolean): boolean {
    const path = [...this.watched.pathOf(directory), name];
    return directory.tree.exclusions.excludes(path, isDirectory);
  }
}
