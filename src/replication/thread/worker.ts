/**
 * Replication's thread: the replicator, and its port to the daemon as messages.
 */

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { assert, MailraftError } from '../../errors.ts';
import type { ReplicatorOptions } from '../foundation.ts';
import type { JournalledCommand, ReplicationPort } from '../parts.ts';
import { Replicator } from '../replicator.ts';
import {
  bufferOf,
  type Call,
  type FromThread,
  faultOf,
  givenWith,
  outcomeOf,
  ownBytes,
  packed,
  type Question,
  type ToThread,
  unpacked,
} from './messages.ts';
import { Questions } from './questions.ts';
import { StatusReporter } from './status-reporter.ts';

type Tails = Awaited<ReturnType<ReplicationPort['readTails']>>;

class ReplicationWorker {
  readonly #port: MessagePort;
  readonly #replicator: Replicator;
  readonly #questions: Questions;
  readonly #reporter: StatusReporter;

  static async open(port: MessagePort, options: ReplicatorOptions): Promise<void> {
    const questions = new Questions();
    let worker: ReplicationWorker | undefined;
    const replicator = await Replicator.open(options, portOver(port, questions), () =>
      worker?.changed(),
    );
    worker = new ReplicationWorker(port, replicator, questions);
  }

  private constructor(port: MessagePort, replicator: Replicator, questions: Questions) {
    this.#port = port;
    this.#replicator = replicator;
    this.#questions = questions;
    let kind: 'opened' | 'status' = 'opened';
    this.#reporter = new StatusReporter(
      () => replicator.status,
      (parcel) => {
        tell(port, { kind, parcel });
        kind = 'status';
      },
    );
    this.#reporter.flush();
    port.on('message', (message: ToThread) => this.#hear(message));
  }

  changed(): void {
    this.#reporter.changed();
  }

  #hear(message: ToThread): void {
    switch (message.kind) {
      case 'apply':
        this.#replicator.apply(
          message.items.map(({ data, ...item }) => ({
            ...item,
            data: data === undefined ? undefined : bufferOf(data),
          })),
        );
        return;
      case 'settle':
        this.#replicator.settle(message.index, message.reason);
        return;
      case 'needState':
        this.#replicator.needState();
        return;
      case 'answer':
        this.#questions.answered(message.id, message.outcome);
        return;
      case 'ask':
        void this.#answer(message.id, message.question);
        return;
    }
  }

  async #answer(id: number, call: Call): Promise<void> {
    const outcome = await outcomeOf(() => this.#do(call));
    // Whoever reads the status after the answer sees what the call has changed.
    if (call.name !== 'close') this.#reporter.flush();
    tell(this.#port, { kind: 'answer', id, outcome });
    if (call.name === 'close') this.#port.close();
  }

  async #do(call: Call): Promise<unknown> {
    switch (call.name) {
      case 'makeBaseline':
      case 'arm':
      case 'disarm':
      case 'barrier':
      case 'sync':
      case 'salvage':
        return await this.#replicator[call.name]();
      case 'answer':
        return await this.#replicator.answer(call.method, unpacked(call.params), call.from);
      case 'close':
        this.#reporter.stop();
        // Nothing waits for the daemon any more.
        this.#questions.end(new MailraftError('TIMED_OUT', 'replication is being closed'));
        await this.#replicator.close();
        this.#reporter.stop();
        return undefined;
    }
  }
}

/** The daemon as the replicator sees it. */
function portOver(port: MessagePort, questions: Questions): ReplicationPort {
  const ask = (question: Question) =>
    questions.ask((id) => tell(port, { kind: 'ask', id, question }));
  return {
    propose: (sequence, bytes) => tell(port, { kind: 'propose', sequence, data: ownBytes(bytes) }),
    readJournal: async (from, to) =>
      (await ask({ name: 'readJournal', from, to })) as readonly JournalledCommand[],
    readTails: async () => (await ask({ name: 'readTails' })) as Tails,
    removeTail: async (tail) => {
      await ask({ name: 'removeTail', tail });
    },
    askLeader: (method, params) => ask({ name: 'askLeader', method, params: packed(params) }),
    onApplied: (index) => tell(port, { kind: 'applied', index }),
    onDecree: (index, decree) => tell(port, { kind: 'decree', index, decree }),
    onEvent: (event) => tell(port, { kind: 'event', event }),
    onStateFetched: (position, tenure) => tell(port, { kind: 'stateFetched', position, tenure }),
    onFailed: (error) => tell(port, { kind: 'failed', fault: faultOf(error) }),
  };
}

function tell(port: MessagePort, message: FromThread): void {
  port.postMessage(message, givenWith(message));
}

assert(parentPort !== null, 'the thread of replication runs as a worker');
const toDaemon = parentPort;
try {
  await ReplicationWorker.open(toDaemon, workerData as ReplicatorOptions);
} catch (error) {
  tell(toDaemon, { kind: 'failed', fault: faultOf(error) });
  toDaemon.close();
}
