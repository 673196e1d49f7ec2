/** How often each kind of thing happened in a run. */

import type { MessageType } from '../../src/consensus/core/messages.ts';

export class Counts {
  readonly #times = new Map<string, number>();

  add(kind: string, times = 1): void {
    this.#times.set(kind, (this.#times.get(kind) ?? 0) + times);
  }

  message(type: MessageType): void {
    this.add(MESSAGE_KINDS[type]);
  }

  get all(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#times);
  }
}

/** Ready made, because every message is counted. */
const MESSAGE_KINDS: Readonly<Record<MessageType, string>> = {
  append: 'message append',
  appendResponse: 'message appendResponse',
  heartbeat: 'message heartbeat',
  heartbeatResponse: 'message heartbeatResponse',
  preVote: 'message preVote',
  preVoteResponse: 'message preVoteResponse',
  vote: 'message vote',
  voteResponse: 'message voteResponse',
  snapshot: 'message snapshot',
  timeoutNow: 'message timeoutNow',
  propose: 'message propose',
  transferLeader: 'message transferLeader',
  readIndex: 'message readIndex',
  readIndexResponse: 'message readIndexResponse',
};
