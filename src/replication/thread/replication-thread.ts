/**
 * The replicator as the daemon sees it: in a thread of its own, so that walking,
 * hashing and the disk never hold up a heartbeat.
 *
 * Keeps the contract of `Replicator`. `status` is the last one that the thread told;
 * it is as new as any answer, and as any change that decisions hang on.
 */

import { Worker } from 'node:worker_threads';
import { MailraftError, messageOf } from '../../errors.ts';
import type { BarrierResult } from '../capture/capture.ts';
import type { BaselineDecree, HistoryRecord } from '../command/decree.ts';
import type { ReplicatorOptions } from '../foundation.ts';
import type { CommittedItem, ReplicationPort } from '../parts.ts';
import type { SalvageManifest } from '../salvage/salvage-store.ts';
import type { ReplicatorStatus } from '../status.ts';
import {
  bufferOf,
  type Call,
  errorOf,
  type FromThread,
  givenWith,
  type ItemParcel,
  outcomeOf,
  ownBytes,
  packed,
  type Question,
  type StatusParcel,
  type ToThread,
  unpacked,
} from './messages.ts';
import { Questions } from './questions.ts';

export class ReplicationThread {
  readonly #worker: Worker;
  readonly #port: ReplicationPort;
  readonly #questions = new Questions();
  readonly #exited: Promise<void>;
  #status: ReplicatorStatus | undefined;
  #history: readonly HistoryRecord[] = [];
  #isClosing = false;
  #hasFailed = false;
  #onOpened: ((error?: Error) => void) | undefined;

  /** Starts the thread; resolves when it has opened what is on this disk. */
  static async open(options: ReplicatorOptions, port: ReplicationPort): Promise<ReplicationThread> {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: options,
      // Descriptors are opened and closed by calls that Node does not see.
      trackUnmanagedFds: false,
    });
    const thread = new ReplicationThread(worker, port);
    await new Promise<void>((resolve, reject) => {
      thread.#onOpened = (error) => (error === undefined ? resolve() : reject(error));
    });
    return thread;
  }

  private constructor(worker: Worker, port: ReplicationPort) {
    this.#worker = worker;
    this.#port = port;
    worker.on('message', (message: FromThread) => this.#hear(message));
    worker.on('error', (error) => {
      const text = `the thread of replication failed: ${messageOf(error)}`;
      this.#failed(new MailraftError('INVARIANT', text, { cause: error }));
    });
    this.#exited = new Promise((resolve) => {
      worker.once('exit', () => {
        this.#ended();
        resolve();
      });
    });
  }

  /** The last that the thread told. */
  get status(): ReplicatorStatus {
    if (this.#status !== undefined) return this.#status;
    throw new MailraftError('INVARIANT', 'the thread of replication is not open');
  }

  /** See `Replicator.apply`. The bytes of the items are copied. */
  apply(items: readonly CommittedItem[]): void {
    const parcels = items.map(({ index, term, data, own }): ItemParcel => {
      return { index, term, data: data === undefined ? undefined : ownBytes(data), own };
    });
    this.#tell({ kind: 'apply', items: parcels });
  }

  /** See `Replicator.settle`. */
  settle(index: number, reason: string): void {
    this.#tell({ kind: 'settle', index, reason });
  }

  /** See `Replicator.needState`. */
  needState(): void {
    this.#tell({ kind: 'needState' });
  }

  /** See `Replicator.makeBaseline`. */
  async makeBaseline(): Promise<BaselineDecree> {
    return (await this.#ask({ name: 'makeBaseline' })) as BaselineDecree;
  }

  /** See `Replicator.arm`. */
  async arm(): Promise<void> {
    await this.#ask({ name: 'arm' });
  }

  /** See `Replicator.disarm`. */
  async disarm(): Promise<void> {
    await this.#ask({ name: 'disarm' });
  }

  /** See `Replicator.barrier`; all its proposals were handed over before it resolves. */
  async barrier(): Promise<BarrierResult & { readonly sequence: number }> {
    const result = await this.#ask({ name: 'barrier' });
    return result as BarrierResult & { readonly sequence: number };
  }

  /** See `Replicator.answer`. */
  async answer(method: string, params: unknown, from: string): Promise<unknown> {
    return await this.#ask({ name: 'answer', method, params: packed(params), from });
  }

  /** See `Replicator.sync`. */
  async sync(): Promise<void> {
    await this.#ask({ name: 'sync' });
  }

  /** See `Replicator.salvage`. */
  async salvage(): Promise<readonly SalvageManifest[]> {
    return (await this.#ask({ name: 'salvage' })) as readonly SalvageManifest[];
  }

  /** Ends the thread after what it is doing. */
  async close(): Promise<void> {
    if (this.#isClosing) return await this.#exited;
    this.#isClosing = true;
    try {
      await this.#ask({ name: 'close' });
    } finally {
      await this.#exited;
    }
  }

  #hear(message: FromThread): void {
    switch (message.kind) {
      case 'opened':
        this.#take(message.parcel);
        this.#onOpened?.();
        this.#onOpened = undefined;
        return;
      case 'status':
        this.#take(message.parcel);
        return;
      case 'propose':
        this.#port.propose(message.sequence, bufferOf(message.data));
        return;
      case 'applied':
        this.#port.onApplied(message.index);
        return;
      case 'decree':
        this.#port.onDecree(message.index, message.decree);
        return;
      case 'event':
        this.#port.onEvent(message.event);
        return;
      case 'stateFetched':
        this.#port.onStateFetched(message.position, message.tenure);
        return;
      case 'failed':
        this.#failed(errorOf(message.fault));
        return;
      case 'ask':
        void this.#answer(message.id, message.question);
        return;
      case 'answer':
        this.#questions.answered(message.id, message.outcome);
        return;
    }
  }

  #take({ status, history }: StatusParcel): void {
    this.#history = history ?? this.#history;
    this.#status = { ...status, state: { ...status.state, history: this.#history } };
  }

  async #answer(id: number, question: Question): Promise<void> {
    const outcome = await outcomeOf(() => this.#askPort(question));
    this.#tell({ kind: 'answer', id, outcome });
  }

  async #askPort(question: Question): Promise<unknown> {
    switch (question.name) {
      case 'readJournal':
        return await this.#port.readJournal(question.from, question.to);
      case 'readTails':
        return await this.#port.readTails();
      case 'removeTail':
        return await this.#port.removeTail(question.tail);
      case 'askLeader':
        return await this.#port.askLeader(question.method, unpacked(question.params));
    }
  }

  #ask(question: Call): Promise<unknown> {
    return this.#questions.ask((id) => this.#tell({ kind: 'ask', id, question }));
  }

  #tell(message: ToThread): void {
    this.#worker.postMessage(message, givenWith(message));
  }

  /** Told once: what comes after the first failure comes of it. */
  #failed(error: Error): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    if (this.#onOpened !== undefined) this.#onOpened(error);
    else this.#port.onFailed(error);
  }

  #ended(): void {
    const error = new MailraftError('STORAGE_FAILED', 'the thread of replication ended');
    if (!this.#isClosing) this.#failed(error);
    this.#isClosing = true;
    this.#questions.end(error);
  }
}
