/** Three cores of `@coaty/consensus.raft`, a port of etcd's to TypeScript. */

import { assert } from '../../../src/errors.ts';
import {
  type CoatyMessage,
  type CoatyNode,
  type CoatyStorage,
  coatyLibrary,
} from './coaty-library.ts';
import { type CoreGroup, LIMITS, MEMBERS, PAYLOAD_BYTES } from './core-group.ts';

interface Member {
  readonly id: string;
  readonly node: CoatyNode;
  readonly storage: CoatyStorage;
}

/** Its payloads are values of JSON, whose text it measures: a string costs it the least. */
const payload = 'x'.repeat(PAYLOAD_BYTES);

export class CoatyGroup implements CoreGroup {
  readonly #library = coatyLibrary();
  readonly #members: readonly Member[] = MEMBERS.map((id) => this.#make(id));
  readonly #leader = this.#members[0] as Member;
  #inFlight: CoatyMessage[] = [];
  committed = 0;

  constructor() {
    this.#leader.node.campaign();
    this.#settle();
    const { state } = this.#leader.node.raft;
    assert(state === this.#library.StateType.StateLeader, 'the first member was not elected');
  }

  commit(batch: number): void {
    const { Message, MessageType, Entry } = this.#library;
    const entries = Array.from({ length: batch }, () => new Entry({ data: payload }));
    // All at once, as its own `propose` does with one.
    const proposal = new Message({ type: MessageType.MsgProp, from: this.#leader.id, entries });
    assert(this.#leader.node.raft.Step(proposal) === null, 'a proposal was dropped');
    this.#settle();
  }

  #settle(): void {
    let isBusy = true;
    while (isBusy) {
      isBusy = false;
      for (const member of this.#members) isBusy = this.#work(member) || isBusy;
      isBusy = this.#deliver() || isBusy;
    }
  }

  #work(member: Member): boolean {
    const { node, storage } = member;
    if (!node.hasReady()) return false;
    const ready = node.ready();
    storage.Append(ready.entries);
    if (!ready.hardState.isEmptyHardState()) storage.SetHardState(ready.hardState);
    for (const message of ready.messages) this.#inFlight.push(message);
    if (member === this.#leader) this.committed += ready.committedEntries.length;
    node.advance(ready);
    return true;
  }

  #deliver(): boolean {
    const messages = this.#inFlight;
    this.#inFlight = [];
    for (const message of messages) {
      const to = this.#members.find(({ id }) => id === message.to) as Member;
      to.node.step(message);
    }
    return messages.length > 0;
  }

  #make(id: string): Member {
    const { MemoryStorage, RawNode, RaftConfig, discardLogger } = this.#library;
    const storage = MemoryStorage.NewMemoryStorage();
    storage.snapshot.metadata.confState.voters = MEMBERS;
    const config = new RaftConfig({
      id,
      storage,
      electionTick: LIMITS.electionTicks,
      heartbeatTick: LIMITS.heartbeatTicks,
      preVote: true,
      checkQuorum: true,
      maxSizePerMsg: LIMITS.appendBytesMax,
      maxInflightMsgs: LIMITS.inflightMessagesMax,
      maxUncommittedEntriesSize: LIMITS.unappliedBytesMax,
      logger: discardLogger,
    });
    return { id, node: RawNode.NewRawNode(config), storage };
  }
}
