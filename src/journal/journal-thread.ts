/**
 * The journal's side that writes: takes everything that was queued while the last sync
 * ran, and writes it with one.
 */

import { isMailraftError, messageOf } from '../errors.ts';
import type { JournalFiles } from './files.ts';
import { JournalWriter, NoSpace, type WriteBatch } from './journal-writer.ts';
import type { ThreadPort, Turns } from './ports.ts';
import type {
  FaultText,
  FromThread,
  Question,
  Recovered,
  ThreadOptions,
  ToThread,
} from './thread-messages.ts';

/** A full disk is tried again after so long. */
const SPACE_RETRY_MS = 500;

export interface ThreadParts {
  readonly port: ThreadPort;
  readonly files: JournalFiles;
  readonly turns: Turns;
}

export class JournalThread {
  readonly #port: ThreadPort;
  readonly #turns: Turns;
  readonly #writer: JournalWriter;
  #queue: WriteBatch[] = [];
  #isFull = false;
  /** What is on the disk is unknown: nothing more is written, whatever was still queued. */
  #hasFailed = false;

  /** Recovers what is in the directory, and tells the journal of it. */
  constructor({ port, files, turns }: ThreadParts, options: ThreadOptions) {
    this.#port = port;
    this.#turns = turns;
    this.#writer = new JournalWriter(files, options);
    this.#tell({ kind: 'recovered', recovered: this.#recovered() });
  }

  /** Takes a message, and all that came behind it. */
  hear(first: ToThread): void {
    this.#guard(() => this.#take(first));
  }

  #take(first: ToThread): void {
    for (
      let message: ToThread | undefined = first;
      message !== undefined;
      message = this.#port.take()
    ) {
      if (message.kind === 'write') this.#queue.push(...message.batches);
      else {
        // What was asked after a write must see it.
        this.#write();
        this.#answer(message);
      }
    }
    this.#write();
  }

  #answer(message: Question): void {
    const writer = this.#writer;
    switch (message.kind) {
      case 'read': {
        const records = writer.read(message.from, message.to, message.bytesMax);
        this.#tell({ kind: 'read', id: message.id, records });
        return;
      }
      case 'setMuted':
        // What makes it whole may wait for space: then it stays muted.
        if (message.isMuted || this.#queue.length === 0) writer.setMuted(message.isMuted);
        this.#tell({ kind: 'done', id: message.id });
        return;
      case 'compact':
        writer.compact(message.floor);
        this.#tell({ kind: 'compacted', base: writer.log.base, bytes: writer.bytesTotal });
        return;
      case 'tails': {
        const tails = writer.tails.names.map((name) => ({ name, ...writer.tails.read(name) }));
        this.#tell({ kind: 'tails', id: message.id, tails });
        return;
      }
      case 'removeTail':
        writer.tails.remove(message.name);
        this.#tell({ kind: 'done', id: message.id });
        return;
      case 'close':
        writer.close();
        this.#port.close();
    }
  }

  #write(): void {
    if (this.#queue.length === 0 || this.#isFull) return;
    const batches = this.#queue;
    const mustSync = batches.some((batch) => batch.mustSync);
    const begunAt = performance.now();
    try {
      this.#writer.write(batches);
      this.#queue = [];
      const fsyncMs = mustSync ? performance.now() - begunAt : undefined;
      this.#written(batches.length, fsyncMs);
    } catch (error) {
      if (!(error instanceof NoSpace)) throw error;
      this.#queue = batches.slice(error.done);
      if (error.done > 0) this.#written(error.done, undefined);
      this.#waitForSpace(error.message);
    }
  }

  #written(count: number, fsyncMs: number | undefined): void {
    this.#tell({ kind: 'written', count, fsyncMs, bytes: this.#writer.bytesTotal });
  }

  #waitForSpace(message: string): void {
    this.#isFull = true;
    this.#tell({ kind: 'noSpace', message });
    const retry = (): void => {
      this.#isFull = false;
      this.#guard(() => this.#write());
      if (!this.#isFull) this.#tell({ kind: 'space' });
    };
    this.#turns.later(SPACE_RETRY_MS, retry);
  }

  /** Runs `work`; what it throws is the end of the journal. */
  #guard(work: () => void): void {
    if (this.#hasFailed) return;
    try {
      work();
    } catch (error) {
      this.#hasFailed = true;
      this.#tell({ kind: 'failed', fault: faultOf(error) });
      this.#port.close();
    }
  }

  #recovered(): Recovered {
    const { log, isMuted } = this.#writer;
    const recordOf = (index: number) => this.#writer.read(index, index + 1, 1);
    const tagged = log.tagged.flatMap(recordOf);
    const beyond = log.configs.filter((index) => index > log.placed.index);
    const configs = beyond.flatMap(recordOf);
    const { runs, lastIndex, hardState, promiseMs, placed, damage } = log;
    const bytes = this.#writer.bytesTotal;
    const told = { runs, lastIndex, hardState, promiseMs, placed, configs };
    return { ...told, tagged, damage, isMuted, bytes };
  }

  #tell(message: FromThread): void {
    this.#port.tell(message);
  }
}

/** An error as it travels between threads. */
export function faultOf(error: unknown): FaultText {
  const code = isMailraftError(error) ? error.code : 'STORAGE_FAILED';
  return { code, message: messageOf(error) };
}
