/**
 * Sees what changes in the volumes of a primary and proposes it.
 *
 * Kernel events mark names, a cycle looks at them, and what differs from the index
 * becomes changes. Events are hints: what is lost by an overflow is found again by
 * going through the volumes (safety rules 17-20).
 *
 * One instance watches all volumes, so that there is one queue of events, and one
 * marker in it overtakes nothing.
 */

import { unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { statOf } from '../../platform/linux/files-at.ts';
import { EVENT, Inotify, type InotifyEvent } from '../../platform/linux/inotify.ts';
import type { FileIndex } from '../index/file-index.ts';
import type { LocalState } from '../index/local-state.ts';
import { WORKSPACE } from '../volume/exclusions.ts';
import type { VolumeTree } from '../volume/volume-tree.ts';
import type { Batcher } from './batcher.ts';
import { type Mark, Marks } from './marks.ts';
import { Observer } from './observer.ts';
import { keyOf } from './watched-directory.ts';
import { MOVE_WAIT_MS, Watcher } from './watcher.ts';

export interface CaptureParts {
  readonly trees: readonly VolumeTree[];
  readonly index: FileIndex;
  readonly local: LocalState;
  readonly batcher: Batcher;
  readonly events: CaptureEvents;
}

export interface CaptureEvents {
  /** The queue of events overflowed; everything is gone through again. */
  onOverflow(): void;
  /** Something in a volume can not be replicated. */
  onUnsupported(volume: string, path: string, reason: string): void;
  /** Capturing can not go on. */
  onFailed(error: Error): void;
  /** Whether more may be proposed now; when not, capture waits for `resume`. */
  hasRoom(): boolean;
}

/** How a barrier ended. */
export interface BarrierResult {
  /** Files that could not be read as of one moment, and so are not covered. */
  readonly uncovered: readonly string[];
}

interface PendingBarrier {
  readonly marker: string;
  /** Marks up to this one must be dealt with; undefined until the marker came through. */
  serial: number | undefined;
  readonly startedAtMs: number;
  /** Files that were taken, but as a mix of moments. */
  readonly mixed: Set<string>;
  readonly resolve: (result: BarrierResult) => void;
}

/** A file that would not hold still is looked at again after so long, and at last taken as it is. */
const RESTLESS_MS = 15;
const HOT_FILE_DEADLINE_MS = 5000;
/** A barrier that is not through by then names what it waits for. */
const BARRIER_DEADLINE_MS = 30_000;
/** Names looked at before events are read again. */
const LOOKS_PER_ROUND = 64;

export class Capture {
  readonly #parts: CaptureParts;
  readonly #inotify = new Inotify();
  readonly #marks = new Marks();
  readonly #watcher: Watcher;
  readonly #observer: Observer;
  readonly #barriers: PendingBarrier[] = [];
  /** Marks in directories that are not where they were, until those are found again. */
  #strays: Mark[] = [];
  #barrierWatch = -1;
  #barrierSerial = 0;
  #timer: NodeJS.Timeout | undefined;
  #isCycling = false;
  #wantsCycle = false;
  #isClosed = false;

  constructor(parts: CaptureParts) {
    this.#parts = parts;
    this.#watcher = new Watcher(this.#inotify, parts.index, parts.local, this.#marks);
    this.#observer = new Observer(parts);
  }

  /** Names that may have changed and were not looked at yet. */
  get dirtyCount(): number {
    return this.#marks.count;
  }

  get watchedCount(): number {
    return this.#watcher.watched.count;
  }

  /** Watches everything, then looks at everything that changed unseen. */
  async arm(): Promise<void> {
    const [first] = this.#parts.trees;
    if (first !== undefined) this.#barrierWatch = this.#inotify.watch(first.barrierFd);
    await this.#watcher.watchAll(this.#parts.trees);
    this.#schedule(0);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#watcher.watched.clear();
    this.#inotify.close();
    for (const barrier of this.#barriers.splice(0)) {
      barrier.resolve({ uncovered: ['capture ended before the barrier came through'] });
    }
  }

  /**
   * Covers every file closed, renamed or removed before the call, and of files still
   * open the content at the call; resolves when all of it is proposed.
   */
  async barrier(): Promise<BarrierResult> {
    this.#barrierSerial += 1;
    const marker = `barrier-${this.#barrierSerial}`;
    // When the marker finds no room there is no barrier.
    this.#dropMarker(marker);
    return await new Promise((resolve) => {
      const startedAtMs = performance.now();
      const mixed = new Set<string>();
      this.#barriers.push({ marker, serial: undefined, startedAtMs, mixed, resolve });
    });
  }

  /** There is room for proposals again. */
  resume(): void {
    this.#schedule(0);
  }

  #dropMarker(marker: string): void {
    const [first] = this.#parts.trees;
    if (first === undefined || this.#isClosed) return;
    const path = join(first.path, WORKSPACE, 'barrier', marker);
    writeFileSync(path, '');
    unlinkSync(path);
  }

  #schedule(delayMs: number): void {
    if (this.#isClosed) return;
    if (this.#isCycling) {
      this.#wantsCycle = true;
      return;
    }
    clearTimeout(this.#timer);
    if (delayMs <= 0) void this.#cycle();
    else this.#timer = setTimeout(() => void this.#cycle(), delayMs);
  }

  async #cycle(): Promise<void> {
    this.#isCycling = true;
    try {
      do {
        this.#wantsCycle = false;
        await this.#round();
        // Whoever asks this thread for something else gets his turn.
        await setImmediate();
      } while (this.#wantsCycle && !this.#isClosed && this.#parts.events.hasRoom());
    } catch (error) {
      if (!this.#isClosed) this.#parts.events.onFailed(error as Error);
      return;
    } finally {
      this.#isCycling = false;
    }
    this.#scheduleNext();
  }

  #scheduleNext(): void {
    // Without room nothing is read either: `resume` goes on.
    if (this.#isClosed || !this.#parts.events.hasRoom()) return;
    this.#inotify.wait(() => this.#schedule(0));
    const next = this.#marks.nextDueAtMs();
    if (next !== undefined) this.#schedule(Math.max(1, next - performance.now()));
  }

  /** Reads events, looks at what is due, proposes what was found. */
  async #round(): Promise<void> {
    if (this.#isClosed) return;
    await this.#takeEvents(this.#inotify.read());
    this.#takeStrays();
    for (const mark of this.#marks.takePresent(LOOKS_PER_ROUND)) {
      if (this.#isClosed) return;
      await this.#look(mark);
    }
    // Removals come last: what is gone here may have been found elsewhere just now.
    if (!this.#marks.hasPresent) {
      for (const mark of this.#marks.takeGone(LOOKS_PER_ROUND)) await this.#conclude(mark);
    }
    if (this.#marks.count === 0) this.#giveUpStrays();
    if (this.#marks.count === 0) await this.#observer.removeParked();
    this.#lookAtDirectories();
    this.#watcher.watched.release();
    for (const tree of this.#parts.trees) tree.release();
    this.#parts.batcher.flush();
    this.#finishBarriers();
    const next = this.#marks.nextDueAtMs();
    if (next !== undefined && next <= performance.now()) this.#wantsCycle = true;
  }

  async #takeEvents(events: readonly InotifyEvent[]): Promise<void> {
    for (const event of events) {
      if ((event.mask & EVENT.overflow) !== 0) {
        this.#parts.events.onOverflow();
        this.#strays = [];
        await this.#watcher.watchAll(this.#parts.trees);
        // Markers may have been lost with the rest; and what they cover is marked anew.
        for (const barrier of this.#barriers) {
          barrier.serial = undefined;
          this.#dropMarker(barrier.marker);
        }
      } else if (event.watch === this.#barrierWatch) this.#markerCameThrough(event);
      else this.#watcher.take(event);
    }
  }

  #markerCameThrough({ name, mask }: InotifyEvent): void {
    if ((mask & EVENT.create) === 0) return;
    const barrier = this.#barriers.find(({ marker }) => marker === name.toString());
    if (barrier === undefined) return;
    barrier.serial = this.#marks.serial;
    // Also what waits for its file to be closed is read now, as it is.
    this.#marks.hasten(barrier.serial);
  }

  async #look(mark: Mark): Promise<void> {
    const { directory, name, serial, firstAtMs } = mark;
    const dir = this.#watcher.findPlaced(directory);
    if (dir === undefined) {
      this.#strays.push(mark);
      return;
    }
    const stat = directory.tree.stat({ dir, name });
    if (stat === undefined) {
      // Without a word that it went, it may be on its way: hear all events first.
      const dueAtMs = performance.now() + MOVE_WAIT_MS;
      this.#marks.set(directory, name, { isGone: true, dueAtMs, serial, firstAtMs });
      return;
    }
    const look = await this.#observer.look({
      tree: directory.tree,
      parent: directory.id,
      place: { dir, name },
      stat,
      isHint: mark.isHint,
      isLastTry: performance.now() - firstAtMs > HOT_FILE_DEADLINE_MS,
    });
    switch (look.kind) {
      case 'done':
        return;
      case 'mixed':
        for (const barrier of this.#barriers) {
          if (serial <= (barrier.serial ?? serial)) barrier.mixed.add(this.#textOf(mark));
        }
        return;
      case 'restless': {
        const dueAtMs = performance.now() + RESTLESS_MS;
        this.#marks.set(directory, name, { dueAtMs, serial, firstAtMs });
        return;
      }
      case 'directory':
        await this.#watcher.enter(directory, name, look.id, serial);
        return;
      case 'unsupported': {
        this.#parts.events.onUnsupported(directory.tree.name, this.#textOf(mark), look.reason);
        return;
      }
    }
  }

  /** All events said, or a listing did, that nothing has that name any more. */
  async #conclude(mark: Mark): Promise<void> {
    const { directory, name, serial } = mark;
    if (this.#watcher.findPlaced(directory) === undefined) {
      this.#strays.push(mark);
      return;
    }
    // Something came under that name since, or is to be looked at before this.
    if (this.#watcher.statIn(directory, name) !== undefined) {
      this.#marks.set(directory, name, { serial });
      return;
    }
    if (this.#marks.hasPresent) {
      this.#marks.set(directory, name, { isGone: true, serial });
      return;
    }
    const child = directory.children.get(keyOf(name));
    if (child !== undefined && !this.#watcher.isReachable(child)) {
      this.#watcher.watched.remove(child);
    }
    await this.#observer.vacate(directory.tree, directory.id, name);
    this.#watcher.changed.add(directory);
  }

  /** Directories were found again: what is marked in them can be looked at. */
  #takeStrays(): void {
    for (const mark of this.#strays.splice(0)) {
      const { directory, name, serial, firstAtMs, isGone } = mark;
      if (directory.isGone) continue;
      if (this.#watcher.findPlaced(directory) === undefined) this.#strays.push(mark);
      else this.#marks.set(directory, name, { isGone, serial, firstAtMs });
    }
  }

  /**
   * Everything else was looked at: a directory that was not found again has left the
   * volume, and should it come back it is as good as new.
   */
  #giveUpStrays(): void {
    for (const { directory, serial } of this.#strays.splice(0)) {
      const { parent, name, isGone } = directory;
      if (isGone) continue;
      // It stands where it was, but the index has it no more: it is to be looked at itself.
      if (parent !== undefined && this.#watcher.isReachable(directory)) {
        this.#marks.set(parent, name, { serial });
      }
      this.#watcher.watched.remove(directory);
    }
  }

  #lookAtDirectories(): void {
    for (const directory of this.#watcher.changed) {
      const fd = this.#watcher.watched.open(directory);
      if (fd !== undefined) this.#observer.lookAtMeta(directory, statOf(fd));
    }
    this.#watcher.changed.clear();
  }

  #finishBarriers(): void {
    for (const barrier of [...this.#barriers]) {
      if (barrier.serial === undefined) continue;
      const strays = this.#strays.filter(({ serial }) => serial <= (barrier.serial ?? 0));
      const waiting = [...this.#marks.through(barrier.serial), ...strays];
      const isLate = performance.now() - barrier.startedAtMs > BARRIER_DEADLINE_MS;
      if ((waiting.length > 0 || this.#observer.hasParked) && !isLate) continue;
      this.#barriers.splice(this.#barriers.indexOf(barrier), 1);
      const names = new Set([...waiting.map((mark) => this.#textOf(mark)), ...barrier.mixed]);
      if (this.#observer.hasParked) names.add('a directory that was moved and not found yet');
      barrier.resolve({ uncovered: [...names] });
    }
  }

  #textOf({ directory, name }: Mark): string {
    return [...this.#watcher.watched.pathOf(directory), name].join('/');
  }
}
