/**
 * The journal as the daemon sees it: the durable log of the group, kept by a thread
 * of its own.
 *
 * Keeps the storage contract of consensus (consensus/host/storage.ts). What the
 * thread reported durable is what the view shows.
 */

import { Worker } from 'node:worker_threads';
import type {
  Entry,
  HardState,
  LogIndex,
  PlacedMembership,
  Term,
} from '../consensus/core/types.ts';
import { decodeEntry, encodeEntry } from '../consensus/host/entry-record.ts';
import type { LogStorage, StorageBatch, StorageEvents } from '../consensus/host/storage.ts';
import { assert, type ErrorCode, MailraftError } from '../errors.ts';
import { EntryCache } from './entry-cache.ts';
import type { WriteBatch } from './journal-writer.ts';
import type { Damage } from './log-map.ts';
import { type JournalLink, realTurns, type Turns } from './ports.ts';
import { tagOf } from './scan.ts';
import { TermRuns } from './term-runs.ts';
import type { FromThread, Question, Recovered, ThreadOptions } from './thread-messages.ts';

export interface JournalOptions extends ThreadOptions {
  /** Entries of so many bytes are kept at hand. */
  readonly cacheBytes: number;
  /** Hears how long each write with a sync took, in ms. */
  readonly onSync?: (ms: number) => void;
}

/** Entries that a new leader's replaced, see tails.ts. */
export interface Tail {
  readonly name: string;
  readonly entries: readonly Entry[];
  /** More entries followed, that can not be read. */
  readonly isDamaged: boolean;
}

type Answer = Extract<FromThread, { id: number }>;

interface WaitingBatch {
  readonly batch: StorageBatch;
  readonly done: () => void;
  /** Whether the thread has it, and will report it. */
  readonly isGiven: boolean;
}

/**
 * A commit index by itself is not worth waking the thread: it is written with the next
 * entries, as it must be, or after so long, so that a restart does not begin far back.
 */
const HELD_MS_MAX = 100;

export class Journal implements LogStorage {
  readonly #link: JournalLink;
  readonly #turns: Turns;
  readonly #cache: EntryCache;
  readonly #onSync: (ms: number) => void;
  #terms: TermRuns;
  /** Given to the thread and not yet reported, in order, and what waits for those before it. */
  readonly #waiting: WaitingBatch[] = [];
  #outgoing: WriteBatch[] = [];
  #held: HardState | undefined;
  /** Takes back the timer of what is held. */
  #holding: (() => void) | undefined;
  readonly #asked = new Map<number, (answer: Answer) => void>();
  readonly #loading = new Set<LogIndex>();
  #events: StorageEvents | undefined;
  #askedLast = 0;
  #isClosing = false;
  #onExit: () => void = () => undefined;
  readonly recovered: Recovered;
  #bytes: number;
  #hardState: HardState;
  #synced: HardState;

  /** Opens the journal in its directory and recovers what is there. */
  static async open(options: JournalOptions): Promise<Journal> {
    const worker = new Worker(new URL('./thread.js', import.meta.url), {
      workerData: {
        directory: options.directory,
        segmentBytes: options.segmentBytes,
        tag: options.tag,
      } satisfies ThreadOptions,
    });
    const recovered = await firstWord(worker);
    return new Journal({ link: linkTo(worker), turns: realTurns }, recovered, options);
  }

  /** @param recovered what the thread behind the link said first */
  constructor(
    { link, turns }: { readonly link: JournalLink; readonly turns: Turns },
    recovered: Recovered,
    options: Pick<JournalOptions, 'cacheBytes' | 'onSync'>,
  ) {
    this.#link = link;
    this.#turns = turns;
    this.recovered = recovered;
    this.#cache = new EntryCache(options.cacheBytes);
    this.#onSync = options.onSync ?? (() => undefined);
    this.#terms = new TermRuns(recovered.runs, recovered.lastIndex);
    this.#bytes = recovered.bytes;
    this.#hardState = recovered.hardState;
    // Which commit index was synced is not known any more; terms and votes always are.
    this.#synced = { ...recovered.hardState, commit: 0 };
    link.listen({
      onMessage: (message) => this.#hear(message),
      onError: (error) => this.#failed(error),
      onExit: () => this.#exited(),
    });
  }

  /** As of the start. */
  get hardState(): HardState {
    return this.recovered.hardState;
  }

  /** As of now; of its commit index the newest may not be synced yet. */
  get hardStateNow(): HardState {
    return this.#hardState;
  }

  /** As it is at least after a loss of power, even one that takes the last write with it. */
  get syncedHardState(): HardState {
    return this.#synced;
  }

  get promiseMs(): number {
    return this.recovered.promiseMs;
  }

  /** The configuration that was in force last, as of the start. */
  get placed(): PlacedMembership {
    return this.recovered.placed;
  }

  /** Entries beyond `placed` that change the configuration, as of the start. */
  get configs(): readonly Entry[] {
    return this.recovered.configs.map((record) => decodeEntry(bufferOf(record)));
  }

  /** Damage found at the start; until it is repaired the log ends before it. */
  get damage(): Damage | undefined {
    return this.recovered.damage;
  }

  /** As of the start: the log may lack what was acknowledged of it. */
  get isMuted(): boolean {
    return this.recovered.isMuted;
  }

  /** Entries of the log whose data begins with the tag, as of the start. */
  get taggedEntries(): readonly Entry[] {
    return this.recovered.tagged.map((record) => decodeEntry(bufferOf(record)));
  }

  /** Bytes of all segment files. */
  get bytes(): number {
    return this.#bytes;
  }

  get firstIndex(): LogIndex {
    return this.#terms.base.index + 1;
  }

  get lastIndex(): LogIndex {
    return this.#terms.lastIndex;
  }

  termAt(index: LogIndex): Term | undefined {
    return this.#terms.termAt(index);
  }

  entries(from: LogIndex, to: LogIndex, bytesMax: number): readonly Entry[] | undefined {
    const found = this.#cache.find(from, to, bytesMax);
    if (found.length > 0) return found;
    if (!this.#loading.has(from)) {
      this.#loading.add(from);
      this.#load(from, to, bytesMax);
    }
    return undefined;
  }

  subscribe(events: StorageEvents): void {
    this.#events = events;
  }

  append(batch: StorageBatch, done: () => void): void {
    if (!mayWait(batch)) {
      this.#give(batch, done);
      return;
    }
    if (batch.hardState !== undefined) this.#hold(batch.hardState);
    if (this.#waiting.length === 0) done();
    else this.#waiting.push({ batch, done, isGiven: false });
  }

  /** Keeps a hard state that may be lost in a crash for the batch that is given next. */
  #hold(hardState: HardState): void {
    this.#held = hardState;
    this.#holding ??= this.#turns.later(HELD_MS_MAX, () => this.#flush());
  }

  /** Gives the thread what was held back for too long. */
  #flush(): void {
    if (this.#held === undefined) return;
    const nothing = { snapshot: undefined, promiseMs: undefined, mustSync: false, entries: [] };
    this.#give({ ...nothing, hardState: undefined }, () => undefined);
  }

  /** Gives a batch to the thread, and with it the hard state that was held. */
  #give(batch: StorageBatch, done: () => void): void {
    const records = batch.entries.map(encodeEntry);
    const written: WriteBatch = {
      hardState: batch.hardState ?? this.#held,
      snapshot: batch.snapshot,
      promiseMs: batch.promiseMs,
      membership: batch.membership,
      mustSync: batch.mustSync,
      entries: batch.entries.map((entry, at) => ({
        index: entry.index,
        term: entry.term,
        tag: tagOf(entry),
        bytes: (records[at] as Buffer).length,
      })),
      records: joined(records),
    };
    this.#held = undefined;
    this.#holding?.();
    this.#holding = undefined;
    this.#waiting.push({ batch, done, isGiven: true });
    // What the others are to do goes out first, for their disks are farther away.
    if (this.#outgoing.length === 0) this.#turns.soon(() => this.#post());
    this.#outgoing.push(written);
  }

  /** Wakes the thread once for all that it was given in this turn of the event loop. */
  #post(): void {
    const batches = this.#outgoing;
    if (batches.length === 0) return;
    this.#outgoing = [];
    const buffers = batches.map(({ records }) => records.buffer as ArrayBuffer);
    this.#link.tell({ kind: 'write', batches }, buffers);
  }

  compact(floor: LogIndex): void {
    this.#tell({ kind: 'compact', floor });
  }

  /** Reads entries straight from disk; `from` must not be compacted. */
  async read(from: LogIndex, to: LogIndex, bytesMax: number): Promise<readonly Entry[]> {
    return entriesIn(await this.#ask((id) => ({ kind: 'read', id, from, to, bytesMax })));
  }

  /** Remembers across restarts whether the log may lack what was acknowledged of it. */
  async setMuted(isMuted: boolean): Promise<void> {
    await this.#ask((id) => ({ kind: 'setMuted', id, isMuted }));
  }

  /** All tails that salvage has not looked at yet. */
  async tails(): Promise<readonly Tail[]> {
    const answer = await this.#ask((id) => ({ kind: 'tails', id }));
    assert(answer.kind === 'tails', 'the journal answered another question');
    return answer.tails.map(({ name, records, isDamaged }) => ({
      name,
      isDamaged,
      entries: records.map((record) => decodeEntry(bufferOf(record))),
    }));
  }

  async removeTail(name: string): Promise<void> {
    await this.#ask((id) => ({ kind: 'removeTail', id, name }));
  }

  /** Ends the thread after everything given so far. */
  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#flush();
    const exited = new Promise<void>((resolve) => {
      this.#onExit = resolve;
    });
    this.#tell({ kind: 'close' });
    await exited;
  }

  #load(from: LogIndex, to: LogIndex, bytesMax: number): void {
    const hear = (answer: Answer): void => {
      const entries = entriesIn(answer);
      this.#loading.delete(from);
      // The log may have been cut or replaced meanwhile.
      const isCurrent = entries.every((entry) => this.termAt(entry.index) === entry.term);
      if (isCurrent) this.#cache.fetched(entries);
      this.#events?.onLoaded();
    };
    this.#askFor((id) => ({ kind: 'read', id, from, to, bytesMax }), hear);
  }

  #hear(message: FromThread): void {
    switch (message.kind) {
      case 'written':
        this.#bytes = message.bytes;
        if (message.fsyncMs !== undefined) this.#onSync(message.fsyncMs);
        this.#written(message.count);
        return;
      case 'compacted':
        this.#bytes = message.bytes;
        if (message.base.index > this.#terms.base.index) {
          this.#terms.dropThrough(message.base.index);
        }
        return;
      case 'noSpace':
        this.#events?.onCondition('noSpace');
        return;
      case 'space':
        this.#events?.onCondition('ok');
        return;
      case 'failed':
        this.#failed(errorOf(message.fault));
        return;
      case 'read':
      case 'tails':
      case 'done': {
        const take = this.#asked.get(message.id);
        this.#asked.delete(message.id);
        take?.(message);
        return;
      }
      case 'recovered':
        return;
    }
  }

  #written(count: number): void {
    const before = this.#hardState;
    let left = count;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (first.isGiven && left === 0) return;
      if (first.isGiven) left -= 1;
      this.#waiting.shift();
      this.#show(first.batch);
      if (first.batch.mustSync) this.#synced = before;
      first.done();
    }
  }

  /** The view changes with the report that a batch is stored. */
  #show({ hardState, snapshot, entries }: StorageBatch): void {
    if (hardState !== undefined) this.#hardState = hardState;
    if (snapshot !== undefined) {
      this.#terms = new TermRuns([{ index: snapshot.index, term: snapshot.term }]);
      this.#cache.clear();
    }
    const first = entries[0];
    if (first === undefined) return;
    this.#terms.truncateAfter(first.index - 1);
    for (const { index, term } of entries) this.#terms.append(index, term);
    this.#cache.append(entries);
  }

  #ask(question: (id: number) => Question): Promise<Answer> {
    return new Promise((resolve) => this.#askFor(question, resolve));
  }

  #askFor(question: (id: number) => Question, hear: (answer: Answer) => void): void {
    this.#askedLast += 1;
    this.#asked.set(this.#askedLast, hear);
    this.#tell(question(this.#askedLast));
  }

  /** What is asked after a write comes after it. */
  #tell(question: Question): void {
    this.#post();
    this.#link.tell(question);
  }

  #failed(error: Error): void {
    this.#events?.onFailed(error);
  }

  #exited(): void {
    if (this.#isClosing) this.#onExit();
    else this.#failed(new MailraftError('STORAGE_FAILED', 'the thread of the journal ended'));
  }
}

/** Whether nothing of a batch need be on the disk before it counts as done. */
function mayWait({ entries, snapshot, promiseMs, membership, mustSync }: StorageBatch): boolean {
  const rest = snapshot ?? promiseMs ?? membership;
  return !mustSync && entries.length === 0 && rest === undefined;
}

function linkTo(worker: Worker): JournalLink {
  return {
    tell: (message, given = []) => worker.postMessage(message, given),
    listen: ({ onMessage, onError, onExit }) => {
      worker.on('message', onMessage);
      worker.on('error', onError);
      worker.on('exit', onExit);
    },
  };
}

function entriesIn(answer: Answer): readonly Entry[] {
  assert(answer.kind === 'read', 'the journal answered another question');
  return answer.records.map((record) => decodeEntry(bufferOf(record)));
}

function firstWord(worker: Worker): Promise<Recovered> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (message: FromThread) => {
      worker.removeAllListeners('error');
      if (message.kind === 'recovered') resolve(message.recovered);
      else if (message.kind === 'failed') reject(errorOf(message.fault));
      else reject(new MailraftError('INVARIANT', `the journal began with ${message.kind}`));
    });
  });
}

function errorOf({ code, message }: { code: string; message: string }): MailraftError {
  return new MailraftError(code as ErrorCode, message);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** One fresh buffer that may be given away. */
function joined(records: readonly Buffer[]): Uint8Array {
  const bytes = new Uint8Array(records.reduce((sum, record) => sum + record.length, 0));
  let offset = 0;
  for (const record of records) {
    bytes.set(record, offset);
    offset += record.length;
  }
  return bytes;
}
