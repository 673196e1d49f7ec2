/**
 * What is to be looked at: names in watched directories that may have changed.
 *
 * A mark says when to look, not what happened; the look decides. Names that are there
 * are looked at first, in the order of their marks; names that are gone come when
 * nothing else waits, for what is gone here may be found elsewhere.
 */

import { keyOf, type WatchedDirectory } from './watched-directory.ts';

export interface Mark {
  readonly directory: WatchedDirectory;
  readonly name: Buffer;
  /** Position in the order of events; a barrier waits for all marks up to its own. */
  serial: number;
  /** Not to be looked at before this time, ms of the monotonic clock. */
  dueAtMs: number;
  /** Known only from a listing, not from an event: equal looks dismiss it. */
  isHint: boolean;
  /** An event, a listing or a look said that the name is gone. */
  isGone: boolean;
  /** When it was first marked, since it was last dealt with. */
  firstAtMs: number;
}

export interface MarkAbout {
  readonly dueAtMs?: number;
  readonly isHint?: boolean;
  readonly isGone?: boolean;
  readonly serial?: number;
  readonly firstAtMs?: number;
}

export class Marks {
  readonly #marks = new Map<WatchedDirectory, Map<string, Mark>>();
  /** Every mark is in one of these three. */
  readonly #present = new Set<Mark>();
  readonly #gone = new Set<Mark>();
  readonly #waiting = new Set<Mark>();
  #serial = 0;

  get count(): number {
    return this.#present.size + this.#gone.size + this.#waiting.size;
  }

  /** Whether a name that is there waits to be looked at now. */
  get hasPresent(): boolean {
    return this.#present.size > 0;
  }

  /** The latest serial that was given. */
  get serial(): number {
    return this.#serial;
  }

  find(directory: WatchedDirectory, name: Buffer): Mark | undefined {
    return this.#marks.get(directory)?.get(keyOf(name));
  }

  /** Marks a name, or changes its mark. It keeps its place: older barriers wait on for it. */
  set(directory: WatchedDirectory, name: Buffer, about: MarkAbout): Mark {
    this.#serial += 1;
    const now = performance.now();
    const known = this.find(directory, name);
    const mark: Mark = known ?? {
      directory,
      name,
      serial: this.#serial,
      dueAtMs: now,
      isHint: true,
      isGone: false,
      firstAtMs: now,
    };
    if (known === undefined) this.#enter(mark);
    mark.dueAtMs = about.dueAtMs ?? now;
    mark.isHint &&= about.isHint ?? false;
    mark.isGone = about.isGone ?? false;
    mark.serial = Math.min(mark.serial, about.serial ?? mark.serial);
    mark.firstAtMs = Math.min(mark.firstAtMs, about.firstAtMs ?? mark.firstAtMs);
    this.#queue(mark);
    return mark;
  }

  /** Lets a mark that waits be looked at now. */
  release(mark: Mark): void {
    mark.dueAtMs = performance.now();
    if (this.find(mark.directory, mark.name) === mark) this.#queue(mark);
  }

  /** Takes the oldest names that are there, or at least may be. */
  takePresent(most: number): Mark[] {
    this.#wake();
    return this.#take(this.#present, most);
  }

  /** Takes the oldest names that are gone. */
  takeGone(most: number): Mark[] {
    this.#wake();
    return this.#take(this.#gone, most);
  }

  /** When the next mark is due; undefined when there is none. */
  nextDueAtMs(): number | undefined {
    if (this.#present.size > 0 || this.#gone.size > 0) return 0;
    let next: number | undefined;
    for (const mark of this.#waiting) next = Math.min(next ?? mark.dueAtMs, mark.dueAtMs);
    return next;
  }

  /** Names up to `serial` that wait for their file to be closed are due now. */
  hasten(serial: number): void {
    for (const mark of [...this.#waiting]) {
      if (mark.serial <= serial && !mark.isGone) this.release(mark);
    }
  }

  /** Marks that a barrier at `serial` still waits for. */
  through(serial: number): Mark[] {
    return [...this.#present, ...this.#gone, ...this.#waiting].filter(
      (mark) => mark.serial <= serial,
    );
  }

  clear(): void {
    for (const set of [this.#present, this.#gone, this.#waiting]) set.clear();
    this.#marks.clear();
  }

  #enter(mark: Mark): void {
    let inDirectory = this.#marks.get(mark.directory);
    if (inDirectory === undefined) {
      inDirectory = new Map();
      this.#marks.set(mark.directory, inDirectory);
    }
    inDirectory.set(keyOf(mark.name), mark);
  }

  #leave(mark: Mark): void {
    const inDirectory = this.#marks.get(mark.directory);
    inDirectory?.delete(keyOf(mark.name));
    if (inDirectory?.size === 0) this.#marks.delete(mark.directory);
  }

  #queue(mark: Mark): void {
    const due = mark.isGone ? this.#gone : this.#present;
    const target = mark.dueAtMs > performance.now() ? this.#waiting : due;
    for (const set of [this.#present, this.#gone, this.#waiting]) {
      if (set !== target) set.delete(mark);
    }
    target.add(mark);
  }

  #wake(): void {
    const now = performance.now();
    for (const mark of [...this.#waiting]) if (mark.dueAtMs <= now) this.#queue(mark);
  }

  #take(from: Set<Mark>, most: number): Mark[] {
    const taken: Mark[] = [];
    for (const mark of from) {
      if (taken.length === most) break;
      taken.push(mark);
    }
    for (const mark of taken) {
      from.delete(mark);
      this.#leave(mark);
    }
    return taken;
  }
}
