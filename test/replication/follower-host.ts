/**
 * A process that hosts a follower's replication thread, to be killed at any moment. It
 * takes the log from its parent, and tells it how far it is.
 */

import { MailraftError } from '../../src/errors.ts';
import type { ReplicatorOptions } from '../../src/replication/foundation.ts';
import { ReplicationThread } from '../../src/replication/thread/replication-thread.ts';

/** An entry of the log, as it comes from the parent. */
export interface HostedEntry {
  readonly index: number;
  readonly term: number;
  readonly data: Uint8Array | undefined;
}

/** What the parent says. */
export type ToHost =
  | { readonly kind: 'open'; readonly options: ReplicatorOptions }
  /** Entries that are committed, in order; those that were taken before are passed over. */
  | { readonly kind: 'log'; readonly entries: readonly HostedEntry[] }
  | { readonly kind: 'settle'; readonly index: number };

/** How far the follower is, told all the time. */
export interface HostReport {
  readonly index: number;
  readonly mode: string;
  readonly missing: number;
  readonly treeHash: string | undefined;
  readonly checkedFiles: number;
}

const REPORT_MS = 5;
const journal: HostedEntry[] = [];
let thread: ReplicationThread | undefined;

const bufferOf = (data: Uint8Array): Buffer => Buffer.from(data);

async function open(options: ReplicatorOptions): Promise<void> {
  thread = await ReplicationThread.open(options, {
    propose: () => undefined,
    readJournal: async (from, to) =>
      journal.flatMap(({ index, data }) =>
        index < from || index >= to || data === undefined ? [] : [{ index, data: bufferOf(data) }],
      ),
    readTails: async () => [],
    removeTail: async () => undefined,
    askLeader: async () => {
      throw new MailraftError('NO_QUORUM', 'nobody is asked here');
    },
    onApplied: () => undefined,
    onDecree: () => undefined,
    onEvent: () => undefined,
    onStateFetched: () => undefined,
    onFailed: (error) => {
      throw error;
    },
  });
  setInterval(report, REPORT_MS);
}

function report(): void {
  if (thread === undefined) return;
  const { mode, state, missing, volumes, checked } = thread.status;
  process.send?.({
    index: state.position.index,
    mode,
    missing,
    treeHash: volumes[0]?.treeHash,
    checkedFiles: checked.files,
  } satisfies HostReport);
}

async function hear(message: ToHost): Promise<void> {
  switch (message.kind) {
    case 'open':
      await open(message.options);
      return;
    case 'log': {
      journal.push(...message.entries);
      const items = message.entries.map(({ index, term, data }) => {
        return { index, term, own: undefined, data: data && bufferOf(data) };
      });
      thread?.apply(items);
      return;
    }
    case 'settle':
      thread?.settle(message.index, 'killed');
  }
}

let before = Promise.resolve();
process.on('message', (message: ToHost) => {
  before = before.then(() => hear(message));
});
process.on('disconnect', () => process.exit());
