/**
 * The journal itself, with its segments, checksums and recovery, on simulated files.
 *
 * What it reported durable is kept beside it as an image, so that a start that finds less
 * is noticed. Its thread works at once and tells of it when the time that the disk took is
 * over; a crash comes before that, or between two calls.
 */

import type {
  Entry,
  EntryId,
  LogIndex,
  PlacedMembership,
  Term,
} from '../../../src/consensus/core/types.ts';
import { decodeEntry } from '../../../src/consensus/host/entry-record.ts';
import {
  NOTHING_TO_STORE,
  type StorageBatch,
  type StorageEvents,
} from '../../../src/consensus/host/storage.ts';
import { isMailraftError, systemCode } from '../../../src/errors.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { JournalThread } from '../../../src/journal/journal-thread.ts';
import type { JournalLink, LinkEvents, ThreadPort, Turns } from '../../../src/journal/ports.ts';
import type {
  Recovered as Found,
  FromThread,
  ToThread,
} from '../../../src/journal/thread-messages.ts';
import type { Chance } from '../random.ts';
import type { World } from '../world.ts';
import type { StorageSettings } from './fast-storage.ts';
import { compacted, type DiskImage, emptyImage, written } from './image.ts';
import { CanNotOpen, type MemberStorage, type Recovered, VotesLost } from './member-storage.ts';
import { SimFiles } from './sim-files.ts';

const DIRECTORY = '/journal';
/** Small, so that segments are begun and dropped all the time. */
const SEGMENT_BYTES = 4096;
const CACHE_BYTES = 2048;
/** From a message until the other side has it. */
const WAKE_MS = 0.02;

export class JournalStorage implements MemberStorage {
  readonly #world: World;
  readonly #chance: Chance;
  readonly #settings: StorageSettings;
  readonly #files: SimFiles;
  #life: Life | undefined;
  /** What was reported durable, and what was reported at all. */
  #durable: DiskImage;
  #written: DiskImage;
  /** What a first start goes by. */
  #founding: PlacedMembership;
  #slowness = 1;
  isDamaged = false;
  isStalled = false;

  constructor(world: World, chance: Chance, settings: StorageSettings, placed: PlacedMembership) {
    this.#world = world;
    this.#chance = chance;
    this.#settings = settings;
    this.#files = new SimFiles(chance.fork());
    this.#founding = placed;
    this.#durable = emptyImage(placed);
    this.#written = this.#durable;
  }

  get durable(): DiskImage {
    return this.#durable;
  }

  get firstIndex(): LogIndex {
    return this.#journal.firstIndex;
  }

  get lastIndex(): LogIndex {
    return this.#journal.lastIndex;
  }

  termAt(index: LogIndex): Term | undefined {
    return this.#journal.termAt(index);
  }

  entries(from: LogIndex, to: LogIndex, bytesMax: number): readonly Entry[] | undefined {
    return this.#journal.entries(from, to, bytesMax);
  }

  subscribe(events: StorageEvents): void {
    this.#journal.subscribe(events);
  }

  append(batch: StorageBatch, done: () => void): void {
    this.#journal.append(batch, () => {
      this.#written = written(this.#written, batch);
      if (batch.mustSync) this.#durable = this.#written;
      done();
    });
  }

  compact(floor: LogIndex): void {
    this.#journal.compact(floor);
    // At most so much goes: what is kept longer does not matter.
    this.#durable = compacted(this.#durable, floor - 1);
    this.#written = compacted(this.#written, floor - 1);
  }

  open(): Recovered {
    try {
      this.#life = new Life({
        world: this.#world,
        files: this.#files,
        tag: this.#settings.tag,
        latencyMs: () => this.#latencyMs(),
      });
    } catch (error) {
      this.#files.crash(false);
      if (isMailraftError(error, 'DATA_DAMAGED')) throw new VotesLost();
      if (systemCode(error) !== undefined) throw new CanNotOpen();
      throw error;
    }
    const { journal } = this.#life;
    const { hardState, promiseMs, isMuted, configs, taggedEntries: tagged } = journal;
    const isNew = journal.placed.membership.voters.length === 0;
    const placed = isNew ? this.#founding : journal.placed;
    this.#takeImage(this.#life, placed);
    this.isDamaged = isMuted;
    const { damage } = journal;
    const text = damage && `segment ${damage.ordinal} at ${damage.offset}: ${damage.reason}`;
    return { hardState, promiseMs, placed, isMuted, configs, tagged, damage: text };
  }

  begin({ index, term }: EntryId, { membership, index: membershipIndex }: PlacedMembership): void {
    const snapshot = { index, term, membership, membershipIndex };
    const batch = { ...NOTHING_TO_STORE, snapshot, mustSync: true };
    this.#life?.atOnce(() => this.append(batch, () => undefined));
  }

  setMuted(isMuted: boolean): void {
    this.isDamaged = isMuted;
    this.#durable = { ...this.#durable, isMuted };
    this.#written = { ...this.#written, isMuted };
    void this.#journal.setMuted(isMuted);
  }

  crash(isPowerLost: boolean): void {
    this.#life?.end();
    this.#life = undefined;
    this.#files.crash(isPowerLost);
    this.#written = this.#durable;
  }

  damage(): void {
    if (this.#files.rot('.segment')) this.isDamaged = true;
  }

  wipe(placed: PlacedMembership): void {
    this.#files.wipe();
    this.#founding = placed;
    this.#durable = emptyImage(placed);
    this.#written = this.#durable;
    this.isDamaged = false;
  }

  introduce(placed: PlacedMembership): void {
    this.#founding = placed;
    this.#durable = { ...this.#durable, placed };
    this.#written = this.#durable;
  }

  stall(): void {
    this.isStalled = true;
    this.#life?.stall(true);
  }

  fill(): void {
    this.#files.isFull = true;
  }

  slow(factor: number): void {
    this.#slowness = factor;
  }

  failSync(): void {
    this.#files.isFailing = true;
  }

  relieve(): void {
    this.isStalled = false;
    this.#files.isFull = false;
    this.#slowness = 1;
    this.#life?.stall(false);
  }

  get #journal(): Journal {
    if (this.#life === undefined) throw new Error('no process has the journal open');
    return this.#life.journal;
  }

  #latencyMs(): number {
    return this.#chance.around(this.#settings.latencyMsMean * this.#slowness);
  }

  /** What was found is what is durable from now on. */
  #takeImage(life: Life, placed: PlacedMembership): void {
    const { journal } = life;
    const { hardState, promiseMs, isMuted, firstIndex } = journal;
    const base = { index: firstIndex - 1, term: journal.termAt(firstIndex - 1) ?? 0 };
    const log = life.readAll(firstIndex, journal.lastIndex + 1);
    this.#durable = { hardState, promiseMs, base, log, count: log.length, placed, isMuted };
    this.#written = this.#durable;
  }
}

/** One process's journal and its thread, and how they reach each other. */
class Life {
  readonly #world: World;
  readonly #files: SimFiles;
  readonly #latencyMs: () => number;
  readonly #thread: JournalThread;
  readonly journal: Journal;
  readonly #inbox: ToThread[] = [];
  #outbox: FromThread[] = [];
  #events: LinkEvents | undefined;
  #isBusy = false;
  #isStalled = false;
  #isDone = false;
  #hasEnded = false;
  #isAtOnce = false;
  readonly #soon: (() => void)[] = [];

  constructor(parts: {
    readonly world: World;
    readonly files: SimFiles;
    readonly tag: number;
    latencyMs(): number;
  }) {
    this.#world = parts.world;
    this.#files = parts.files;
    this.#latencyMs = parts.latencyMs;
    const turns: Turns = {
      soon: (act) => {
        if (this.#isAtOnce) this.#soon.push(act);
        else this.#after(0, act);
      },
      later: (ms, act) => this.#after(ms, act),
    };
    const port: ThreadPort = {
      tell: (message) => this.#outbox.push(message),
      take: () => this.#inbox.shift(),
      close: () => undefined,
    };
    const link: JournalLink = {
      tell: (message) => {
        this.#inbox.push(message);
        this.#wake();
      },
      listen: (events) => {
        this.#events = events;
      },
    };
    // What is due for the thread by itself is work of its own as well.
    const threadTurns: Turns = {
      ...turns,
      later: (ms, act) => this.#after(ms, () => this.#work(act)),
    };
    const options = { directory: DIRECTORY, segmentBytes: SEGMENT_BYTES, tag: parts.tag };
    this.#thread = new JournalThread({ port, files: this.#files, turns: threadTurns }, options);
    this.#files.settle();
    const first = this.#outbox.shift();
    if (first?.kind !== 'recovered') throw new Error('the thread did not say what it found');
    this.journal = new Journal({ link, turns }, first.recovered satisfies Found, {
      cacheBytes: CACHE_BYTES,
    });
  }

  end(): void {
    this.#hasEnded = true;
  }

  stall(isStalled: boolean): void {
    this.#isStalled = isStalled;
    if (!isStalled && this.#isDone) this.#finish();
  }

  /** Lets `act` be through without time passing. */
  atOnce(act: () => void): void {
    this.#isAtOnce = true;
    act();
    for (const posted of this.#soon.splice(0)) posted();
    const message = this.#inbox.shift();
    if (message !== undefined) this.#thread.hear(message);
    this.#tellAll();
    this.#isAtOnce = false;
  }

  readAll(from: LogIndex, to: LogIndex): Entry[] {
    if (from >= to) return [];
    const all = Number.POSITIVE_INFINITY;
    this.#thread.hear({ kind: 'read', id: -1, from, to, bytesMax: all });
    const answer = this.#outbox.shift();
    if (answer?.kind !== 'read') throw new Error('the thread did not read');
    return answer.records.map((record) => decodeEntry(Buffer.from(record)));
  }

  #after(ms: number, act: () => void): () => void {
    let isWanted = true;
    this.#world.after(ms, () => {
      if (isWanted && !this.#hasEnded) act();
    });
    return () => {
      isWanted = false;
    };
  }

  #wake(): void {
    if (this.#isBusy || this.#isAtOnce) return;
    this.#isBusy = true;
    this.#after(WAKE_MS, () => {
      const message = this.#inbox.shift();
      this.#work(() => {
        if (message !== undefined) this.#thread.hear(message);
      });
    });
  }

  /** Does it at once, and has done it when the time that it takes is over. */
  #work(act: () => void): void {
    this.#isBusy = true;
    act();
    let tookMs = WAKE_MS;
    for (let sync = 0; sync < this.#files.syncs; sync += 1) tookMs += this.#latencyMs();
    this.#after(tookMs, () => {
      this.#isDone = true;
      if (!this.#isStalled) this.#finish();
    });
  }

  #finish(): void {
    this.#isDone = false;
    this.#isBusy = false;
    this.#tellAll();
    if (this.#inbox.length > 0) this.#wake();
  }

  #tellAll(): void {
    this.#files.settle();
    const told = this.#outbox;
    this.#outbox = [];
    for (const message of told) if (!this.#hasEnded) this.#events?.onMessage(message);
  }
}
