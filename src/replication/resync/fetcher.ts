/**
 * Fetches the index from the member that leads: of it only directories travel whose
 * hash differs (safety rules 14, 15).
 */

import { MailraftError } from '../../errors.ts';
import { type FileId, ROOT_ID } from '../command/change.ts';
import { type CommittedState, decodeState } from '../committed-state.ts';
import { decodeRecord, type NodeRecord } from '../index/records.ts';
import type { Parts } from '../parts.ts';
import { bufferOf, type ListAnswer, type OpenAnswer } from './protocol.ts';

/** A name whose node is another one in the fetched index. */
export interface Changed {
  readonly volume: number;
  readonly parent: FileId;
  readonly name: Buffer;
}

/** Records taken over between two writes to the store. */
const RECORDS_PER_FLUSH = 2000;

export class Fetcher {
  readonly #parts: Parts;
  readonly #flush: () => Promise<void>;
  #sinceFlush = 0;

  constructor(parts: Parts, flush: () => Promise<void>) {
    this.#parts = parts;
    this.#flush = flush;
  }

  /** Asks for the state's position and size, before anything is changed here. */
  async open(): Promise<{ readonly answer: OpenAnswer; readonly state: CommittedState }> {
    const answer = (await this.#parts.port.askLeader('resync.open', {})) as OpenAnswer;
    const state = decodeState(bufferOf(answer.state));
    for (const { number, name } of answer.volumes) {
      const own = this.#parts.trees.find((tree) => tree.number === number);
      if (own?.name !== name) {
        const text = `the cluster's volume ${number} is ${name}, here it is ${own?.name ?? 'none'}`;
        throw new MailraftError('PRECONDITION_FAILED', text);
      }
    }
    return { answer, state };
  }

  /**
   * Takes the index of the session over, in layers that it commits.
   *
   * @returns the names whose node is another one now
   */
  async fetchIndex({ session, volumes }: OpenAnswer): Promise<readonly Changed[]> {
    const { index } = this.#parts;
    const changed: Changed[] = [];
    index.store.beginLayer();
    for (const { number: volume, root, lastId } of volumes) {
      const record = decodeRecord(bufferOf(root));
      const own = index.find(volume, ROOT_ID);
      index.noteId(volume, lastId);
      if (own?.leaf.equals(record.leaf) !== true) {
        await this.#fetchDirectory(session, volume, ROOT_ID, changed);
        index.adopt(volume, ROOT_ID, record);
      }
    }
    await this.#write();
    return changed;
  }

  async #fetchDirectory(
    session: number,
    volume: number,
    directory: FileId,
    changed: Changed[],
  ): Promise<void> {
    const { index } = this.#parts;
    const own = new Map(
      (await index.children(volume, directory)).map(({ name, id }) => [
        name.toString('latin1'),
        id,
      ]),
    );
    const below: FileId[] = [];
    for await (const [id, record] of this.#listing(session, volume, directory)) {
      own.delete(record.name.toString('latin1'));
      const before = index.find(volume, id);
      if (before?.leaf.equals(record.leaf) === true && before.parent === record.parent) continue;
      if (record.type === 'directory') below.push(id);
      this.#vacate(volume, record, id);
      index.adopt(volume, id, record);
      changed.push({ volume, parent: directory, name: record.name });
      this.#sinceFlush += 1;
      if (this.#sinceFlush >= RECORDS_PER_FLUSH) await this.#write();
    }
    for (const [text, id] of own) {
      const name = Buffer.from(text, 'latin1');
      changed.push({ volume, parent: directory, name });
      // What has another name or place by now was not removed.
      const record = index.find(volume, id);
      const isHere = record?.parent === directory && record.name.equals(name);
      if (isHere) await this.#forget(volume, id);
    }
    for (const id of below) await this.#fetchDirectory(session, volume, id, changed);
  }

  async *#listing(
    session: number,
    volume: number,
    directory: FileId,
  ): AsyncGenerator<readonly [FileId, NodeRecord]> {
    let after: Buffer | undefined;
    for (;;) {
      const asked = { session, volume, directory, ...(after === undefined ? {} : { after }) };
      const answer = (await this.#parts.port.askLeader('resync.list', asked)) as ListAnswer;
      for (const [id, bytes] of answer.children) {
        const record = decodeRecord(bufferOf(bytes));
        after = record.name;
        yield [id, record];
      }
      if (answer.isLast) return;
    }
  }

  /** Frees the name that another node had here. */
  #vacate(volume: number, record: NodeRecord, id: FileId): void {
    const { index } = this.#parts;
    const other = index.lookUp(volume, record.parent, record.name);
    if (other !== undefined && other !== id) index.forget(volume, other);
  }

  async #forget(volume: number, id: FileId): Promise<void> {
    const { index } = this.#parts;
    const record = index.find(volume, id);
    if (record === undefined) return;
    if (record.type === 'directory') {
      for (const child of await index.children(volume, id)) {
        // A child may have moved elsewhere in the fetched index, and be there already.
        if (index.find(volume, child.id)?.parent === id) await this.#forget(volume, child.id);
      }
    }
    index.forget(volume, id);
  }

  async #write(): Promise<void> {
    const { index } = this.#parts;
    this.#sinceFlush = 0;
    index.store.commitThrough(Number.POSITIVE_INFINITY);
    await this.#flush();
    index.store.beginLayer();
  }
}
