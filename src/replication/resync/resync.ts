/**
 * Brings a node to the state of the member that leads, whatever it has itself: at
 * the first start, and when the log no longer reaches back to where the node is.
 *
 * The node's place in the log moves as the last step, when the index is complete and
 * every content that could be had is on this disk (safety rule 14).
 */

import { join } from 'node:path';
import { MailraftError } from '../../errors.ts';
import type { CommittedState } from '../committed-state.ts';
import { decodeRecord } from '../index/records.ts';
import type { Parts } from '../parts.ts';
import { type ContentSources, type SettleResult, Settling } from '../settle/settling.ts';
import { Fetcher } from './fetcher.ts';
import { bufferOf, type OpenAnswer } from './protocol.ts';
import { bytesIn, bytesOf, findLack } from './space.ts';

/** Where the journal is in the data directory. */
const JOURNAL = 'journal';

export interface ResyncOptions {
  readonly dataDir: string;
  /** Bytes that the journal may grow to. */
  readonly journalBytesMax: number;
  /** Writes what is committed of index and state to the store. */
  flush(): Promise<void>;
}

export interface Resynced {
  readonly state: CommittedState;
  readonly result: SettleResult;
}

export class Resync {
  readonly #parts: Parts;
  readonly #options: ResyncOptions;
  readonly #sources: ContentSources;

  constructor(parts: Parts, options: ResyncOptions, sources: ContentSources) {
    this.#parts = parts;
    this.#options = options;
    this.#sources = sources;
  }

  /**
   * Fetches everything; the caller then adopts the returned state.
   *
   * @param scanned what of this node's own was found already, if it was looked for
   *
   * @throws {MailraftError} `NO_SPACE` before anything is changed, when there is too
   *   little room; what `askLeader` throws when the leader is lost on the way
   */
  async run(scanned?: Settling): Promise<Resynced> {
    const { index, state: holder } = this.#parts;
    const fetcher = new Fetcher(this.#parts, this.#options.flush);
    const { answer, state } = await fetcher.open();
    this.#checkSpace(answer);
    // What differs from the index of before is this node's own.
    const settling = scanned ?? new Settling(this.#parts, this.#sources);
    if (scanned === undefined) await settling.scan([]);
    holder.current = { ...holder.current, isResyncing: true };
    settling.addSlots(await fetcher.fetchIndex(answer));
    const epoch = holder.current.tenure?.record.term ?? 0;
    const result = await settling.finish(epoch, 'held here, and not by the cluster');
    index.store.commitThrough(Number.POSITIVE_INFINITY);
    return { state, result };
  }

  #checkSpace({ volumes }: OpenAnswer): void {
    const { trees } = this.#parts;
    const { dataDir, journalBytesMax } = this.#options;
    const needs = volumes.flatMap(({ number, root }) => {
      const tree = trees.find((known) => known.number === number);
      const record = decodeRecord(bufferOf(root));
      if (tree === undefined || record.type !== 'directory') return [];
      return [{ path: tree.path, bytes: record.bytes, ownBytes: bytesIn(tree) }];
    });
    const ownBytes = bytesOf(join(dataDir, JOURNAL));
    const journal = { path: dataDir, bytes: journalBytesMax, ownBytes };
    const lack = findLack([journal, ...needs]);
    if (lack === undefined) return;
    const { path, needBytes, freeBytes } = lack;
    throw new MailraftError(
      'NO_SPACE',
      `volumes and journal need ${needBytes} bytes at ${JSON.stringify(path)}, ` +
        `there are ${freeBytes}: make room there, it goes on by itself then`,
    );
  }
}
