/**
 * A simulated journal.
 *
 * Fault model: writes reach the platter in order. A crash loses what was not
 * synced, except for a prefix of it that may have reached the platter anyway.
 * Writes may take long, hang, or meet a full disk. Damage is found at the next start:
 * entries from some place on are gone, and maybe what replaced others with them, so
 * that those stand there again.
 */

import { limitBytes } from '../../src/consensus/core/log/log-view.ts';
import type { Entry, HardState, LogIndex, Term } from '../../src/consensus/core/types.ts';
import type { LogStorage, StorageBatch, StorageEvents } from '../../src/consensus/host/storage.ts';
import type { Chance } from './random.ts';
import type { World } from './world.ts';

/** What a disk holds; replaced as a whole by each write. */
export interface DiskImage {
  readonly hardState: HardState;
  readonly promiseMs: number;
  readonly base: { readonly index: LogIndex; readonly term: Term };
  /** Shared with the images before and after, each of which counts `count` entries of it. */
  readonly log: Entry[];
  readonly count: number;
  /** Damage was found, and the member was not whole since. */
  readonly isMuted: boolean;
}

const EMPTY: DiskImage = {
  hardState: { term: 0, vote: '', commit: 0 },
  promiseMs: 0,
  base: { index: 0, term: 0 },
  log: [],
  count: 0,
  isMuted: false,
};

export interface DiskSettings {
  readonly latencyMsMean: number;
}

export class SimDisk implements LogStorage {
  readonly #world: World;
  readonly #chance: Chance;
  readonly #settings: DiskSettings;
  /** An entry that stood at an index once, and was replaced. */
  readonly #replaced = new Map<LogIndex, Entry>();
  /** What a crash leaves. */
  #durable: DiskImage = EMPTY;
  /** What the running process has written, synced or not. */
  #written: DiskImage = EMPTY;
  /** What the running process was told is stored. */
  #shown: DiskImage = EMPTY;
  #queue: { batch: StorageBatch; done: () => void }[] = [];
  #events: StorageEvents | undefined;
  #life = 0;
  #isBusy = false;
  isHanging = false;
  isFull = false;

  constructor(world: World, chance: Chance, settings: DiskSettings) {
    this.#world = world;
    this.#chance = chance;
    this.#settings = settings;
  }

  get durable(): DiskImage {
    return this.#durable;
  }

  get firstIndex(): LogIndex {
    return this.#shown.base.index + 1;
  }

  get lastIndex(): LogIndex {
    return this.#shown.base.index + this.#shown.count;
  }

  termAt(index: LogIndex): Term | undefined {
    return termAt(this.#shown, index);
  }

  entries(from: LogIndex, to: LogIndex, bytesMax: number): readonly Entry[] | undefined {
    // Now and then what is asked for must be fetched first.
    if (this.#chance.happens(0.02)) {
      const life = this.#life;
      this.#world.after(this.#chance.around(3), () => {
        if (life === this.#life) this.#events?.onLoaded();
      });
      return undefined;
    }
    const { log, base } = this.#shown;
    return limitBytes(log.slice(from - base.index - 1, to - base.index - 1), bytesMax);
  }

  subscribe(events: StorageEvents): void {
    this.#events = events;
  }

  compact(): void {}

  append(batch: StorageBatch, done: () => void): void {
    this.#queue.push({ batch, done });
    this.#work();
  }

  /** The process ends. What was not synced is gone, or not. */
  crash(): void {
    this.#life += 1;
    for (const { batch } of this.#queue) {
      if (!this.#chance.happens(0.3)) break;
      this.#written = apply(this.#written, batch);
    }
    // Unsynced writes that were reported as written may be lost as well.
    if (this.#chance.happens(0.5)) this.#durable = this.#written;
    this.#queue = [];
    this.#isBusy = false;
    this.#events = undefined;
  }

  /** What is durable gets lost from some entry on; the process is down. */
  damage(): void {
    const { base, log, count } = this.#durable;
    const keep = Math.floor(this.#chance.between(0, count + 1));
    const kept = log.slice(0, keep);
    let last = kept.at(-1)?.term ?? base.term;
    for (let index = base.index + keep + 1; this.#chance.happens(0.7); index += 1) {
      const entry = this.#replaced.get(index);
      if (entry === undefined || entry.term < last) break;
      kept.push(entry);
      last = entry.term;
    }
    const { hardState } = this.#durable;
    // Of the commit index only what was read before the damage counts.
    const commit = Math.min(hardState.commit, base.index + keep);
    this.#durable = {
      ...this.#durable,
      hardState: { ...hardState, commit },
      log: kept,
      count: kept.length,
      isMuted: true,
    };
  }

  /** Whether the member is whole again is durable as well. */
  setMuted(isMuted: boolean): void {
    this.#durable = { ...this.#durable, isMuted };
    this.#written = { ...this.#written, isMuted };
  }

  /** A new process reads what is there. */
  recover(): DiskImage {
    this.#written = this.#durable;
    this.#shown = this.#durable;
    return this.#durable;
  }

  /** Lets a hanging disk, or a full one, go on. */
  relieve(): void {
    if (this.isFull) this.#events?.onCondition('ok');
    this.isHanging = false;
    this.isFull = false;
    this.#work();
  }

  #work(): void {
    if (this.#isBusy || this.isHanging || this.#queue.length === 0) return;
    if (this.isFull) {
      this.#events?.onCondition('noSpace');
      return;
    }
    // Everything that waits goes in one write, with one sync.
    const group = this.#queue.length;
    const mustSync = this.#queue.some(({ batch }) => batch.mustSync);
    const life = this.#life;
    this.#isBusy = true;
    this.#world.after(mustSync ? this.#chance.around(this.#settings.latencyMsMean) : 0.01, () => {
      if (life === this.#life) this.#finish(group, mustSync);
    });
  }

  #noteReplaced({ entries }: StorageBatch): void {
    for (const { index } of entries) {
      const old = this.#written.log[index - this.#written.base.index - 1];
      const isThere = index - this.#written.base.index <= this.#written.count;
      if (old !== undefined && isThere) this.#replaced.set(index, old);
    }
  }

  #finish(group: number, mustSync: boolean): void {
    if (this.isHanging || this.isFull) {
      this.#isBusy = false;
      return;
    }
    const finished = this.#queue.splice(0, group);
    for (const { batch } of finished) {
      this.#noteReplaced(batch);
      this.#written = apply(this.#written, batch);
    }
    if (mustSync) this.#durable = this.#written;
    this.#isBusy = false;
    for (const { batch, done } of finished) {
      this.#shown = apply(this.#shown, batch);
      done();
    }
    this.#work();
  }
}

function apply(image: DiskImage, batch: StorageBatch): DiskImage {
  const base = batch.snapshot ?? image.base;
  const { log, count } = batch.snapshot === undefined ? image : EMPTY;
  return {
    hardState: batch.hardState ?? image.hardState,
    promiseMs: Math.max(image.promiseMs, batch.promiseMs ?? 0),
    base: { index: base.index, term: base.term },
    isMuted: image.isMuted,
    ...appendTo(log, count, batch.entries, base.index),
  };
}

function appendTo(
  log: Entry[],
  count: number,
  entries: readonly Entry[],
  baseIndex: LogIndex,
): Pick<DiskImage, 'log' | 'count'> {
  const first = entries[0];
  if (first === undefined) return { log, count };
  const keep = first.index - baseIndex - 1;
  // Behind the end nobody looks: the array can be shared. Elsewhere others may look.
  const target = keep === log.length && keep > 0 ? log : log.slice(0, keep);
  for (const entry of entries) target.push(entry);
  return { log: target, count: target.length };
}

/** The term of an entry on a disk, undefined when it is not there. */
export function termAt(image: DiskImage, index: LogIndex): Term | undefined {
  if (index === image.base.index) return image.base.term;
  const at = index - image.base.index - 1;
  return at < image.count ? image.log[at]?.term : undefined;
}
