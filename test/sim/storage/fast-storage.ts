/**
 * A model of the journal that costs little: the seeds that do not run the journal itself
 * run this.
 *
 * Fault model: writes reach the platter in order. A crash loses what was not
 * synced, except for a prefix of it that may have reached the platter anyway.
 * Writes may take long, hang, fail for good, or meet a full disk. Damage is found at the
 * next start: entries from some place on are gone, and maybe what replaced others with
 * them, so that those stand there again.
 */

import { limitBytes } from '../../../src/consensus/core/log/log-view.ts';
import type {
  Entry,
  EntryId,
  LogIndex,
  PlacedMembership,
  Term,
} from '../../../src/consensus/core/types.ts';
import {
  NOTHING_TO_STORE,
  type StorageBatch,
  type StorageEvents,
} from '../../../src/consensus/host/storage.ts';
import type { Chance } from '../random.ts';
import type { World } from '../world.ts';
import { compacted, type DiskImage, emptyImage, lastIndexOf, termAt, written } from './image.ts';
import type { MemberStorage, Recovered } from './member-storage.ts';

export interface StorageSettings {
  readonly latencyMsMean: number;
  /** First byte of commands that may hold a tenure record. */
  readonly tag: number;
}

interface QueuedBatch {
  readonly batch: StorageBatch;
  readonly done: () => void;
}

/** A write without a sync. */
const UNSYNCED_MS = 0.01;
/** Share of reads that must be fetched first. */
const FETCH_RATE = 0.02;

export class FastStorage implements MemberStorage {
  readonly #world: World;
  readonly #chance: Chance;
  readonly #settings: StorageSettings;
  /** An entry that stood at an index once, and was replaced. */
  readonly #replaced = new Map<LogIndex, Entry>();
  /** What a crash leaves. */
  #durable: DiskImage;
  /** What the running process has written, synced or not. */
  #written: DiskImage;
  /** What the running process was told is stored. */
  #shown: DiskImage;
  #queue: QueuedBatch[] = [];
  #events: StorageEvents | undefined;
  #life = 0;
  #isBusy = false;
  #slowness = 1;
  #isFailing = false;
  #isFull = false;
  isStalled = false;

  constructor(world: World, chance: Chance, settings: StorageSettings, placed: PlacedMembership) {
    this.#world = world;
    this.#chance = chance;
    this.#settings = settings;
    this.#durable = emptyImage(placed);
    this.#written = this.#durable;
    this.#shown = this.#durable;
  }

  get durable(): DiskImage {
    return this.#durable;
  }

  get isDamaged(): boolean {
    return this.#durable.isMuted;
  }

  get firstIndex(): LogIndex {
    return this.#shown.base.index + 1;
  }

  get lastIndex(): LogIndex {
    return lastIndexOf(this.#shown);
  }

  termAt(index: LogIndex): Term | undefined {
    return termAt(this.#shown, index);
  }

  entries(from: LogIndex, to: LogIndex, bytesMax: number): readonly Entry[] | undefined {
    if (this.#chance.happens(FETCH_RATE)) {
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

  compact(floor: LogIndex): void {
    const index = Math.min(floor - 1, lastIndexOf(this.#durable));
    const [durable, before, shown] = [this.#durable, this.#written, this.#shown];
    this.#durable = compacted(durable, index);
    this.#written = before === durable ? this.#durable : compacted(before, index);
    this.#shown = shown === before ? this.#written : compacted(shown, index);
  }

  append(batch: StorageBatch, done: () => void): void {
    this.#queue.push({ batch, done });
    this.#work();
  }

  crash(): void {
    this.#life += 1;
    for (const { batch } of this.#queue) {
      if (!this.#chance.happens(0.3)) break;
      this.#written = written(this.#written, batch);
    }
    // Unsynced writes that were reported as written may be lost as well.
    if (this.#chance.happens(0.5)) this.#durable = this.#written;
    this.#queue = [];
    this.#isBusy = false;
    this.#isFailing = false;
    this.#events = undefined;
  }

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

  setMuted(isMuted: boolean): void {
    this.#durable = { ...this.#durable, isMuted };
    this.#written = { ...this.#written, isMuted };
  }

  wipe(placed: PlacedMembership): void {
    this.#replaced.clear();
    this.#durable = emptyImage(placed);
  }

  introduce(placed: PlacedMembership): void {
    this.#durable = { ...this.#durable, placed };
  }

  begin({ index, term }: EntryId, { membership, index: membershipIndex }: PlacedMembership): void {
    const snapshot = { index, term, membership, membershipIndex };
    const reset = written(this.#durable, { ...NOTHING_TO_STORE, snapshot, mustSync: true });
    this.#durable = reset;
    this.#written = reset;
    this.#shown = reset;
  }

  open(): Recovered {
    this.#written = this.#durable;
    this.#shown = this.#durable;
    const { hardState, promiseMs, placed, isMuted, log, count } = this.#durable;
    const [configs, tagged]: [Entry[], Entry[]] = [[], []];
    for (let at = 0; at < count; at += 1) {
      const entry = log[at] as Entry;
      if (entry.kind === 'config') configs.push(entry);
      else if (entry.data[0] === this.#settings.tag) tagged.push(entry);
    }
    return { hardState, promiseMs, placed, isMuted, configs, tagged };
  }

  stall(): void {
    this.isStalled = true;
  }

  fill(): void {
    this.#isFull = true;
  }

  slow(factor: number): void {
    this.#slowness = factor;
  }

  failSync(): void {
    this.#isFailing = true;
  }

  relieve(): void {
    if (this.#isFull) this.#events?.onCondition('ok');
    this.isStalled = false;
    this.#isFull = false;
    this.#slowness = 1;
    this.#work();
  }

  #work(): void {
    if (this.#isBusy || this.isStalled || this.#queue.length === 0) return;
    if (this.#isFull) {
      this.#events?.onCondition('noSpace');
      return;
    }
    // Everything that waits goes in one write, with one sync.
    const group = this.#queue.length;
    const mustSync = this.#queue.some(({ batch }) => batch.mustSync);
    const life = this.#life;
    this.#isBusy = true;
    const meanMs = this.#settings.latencyMsMean * this.#slowness;
    this.#world.after(mustSync ? this.#chance.around(meanMs) : UNSYNCED_MS, () => {
      if (life === this.#life) this.#finish(group, mustSync);
    });
  }

  #noteReplaced({ entries }: StorageBatch): void {
    const first = entries[0];
    if (first === undefined || first.index > lastIndexOf(this.#written)) return;
    const { log, base, count } = this.#written;
    for (let at = first.index - base.index - 1; at < count; at += 1) {
      const old = log[at];
      if (old !== undefined) this.#replaced.set(old.index, old);
    }
  }

  #finish(group: number, mustSync: boolean): void {
    this.#isBusy = false;
    if (this.isStalled || this.#isFull) return;
    if (this.#isFailing && mustSync) {
      this.#fail();
      return;
    }
    const finished = this.#queue.splice(0, group);
    const before = this.#shown === this.#written;
    for (const { batch } of finished) {
      this.#noteReplaced(batch);
      this.#written = written(this.#written, batch);
    }
    if (mustSync) this.#durable = this.#written;
    const isAlone = before && finished.length === 1;
    for (const { batch, done } of finished) {
      this.#shown = isAlone ? this.#written : written(this.#shown, batch);
      done();
    }
    this.#work();
  }

  /** What a failed sync left on the disk nobody knows. */
  #fail(): void {
    const events = this.#events;
    this.crash();
    events?.onFailed(new Error('the sync failed'));
  }
}
