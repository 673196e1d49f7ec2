/** The worker in which the journal's thread runs, on the real file system. */

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { assert } from '../errors.ts';
import { realFiles } from './files.ts';
import { faultOf, JournalThread } from './journal-thread.ts';
import { realTurns, type ThreadPort } from './ports.ts';
import type { FromThread, ThreadOptions, ToThread } from './thread-messages.ts';

assert(parentPort !== null, 'the journal thread runs as a worker');
const worker = parentPort;

const port: ThreadPort = {
  tell: (message) => worker.postMessage(message),
  take: () => receiveMessageOnPort(worker)?.message,
  close: () => worker.close(),
};

try {
  const parts = { port, files: realFiles, turns: realTurns };
  const thread = new JournalThread(parts, workerData as ThreadOptions);
  worker.on('message', (message: ToThread) => thread.hear(message));
} catch (error) {
  worker.postMessage({ kind: 'failed', fault: faultOf(error) } satisfies FromThread);
}
