/**
 * One real host among members that the test plays: those of `answering` grant, acknowledge
 * and promise whatever they are asked, the others are silent. Its storage is durable at once.
 */

import type { Message } from '../../src/consensus/core/messages.ts';
import type { Membership, NodeId } from '../../src/consensus/core/types.ts';
import type { PeerMessage, Standing } from '../../src/consensus/host/ports.ts';
import { RaftHost } from '../../src/consensus/host/raft-host.ts';
import type { StorageBatch } from '../../src/consensus/host/storage.ts';
import { MemoryLog } from './memory-storage.ts';

export const TICK_MS = 100;
const TICKS_PER_LEASE = 10;
export const LEASE_MS: number = TICK_MS * TICKS_PER_LEASE;

export class LoneHost {
  readonly host: RaftHost;
  /** Everything that left, in order. */
  readonly sent: PeerMessage[] = [];
  readonly stored: StorageBatch[] = [];
  readonly memberships: Membership[] = [];
  readonly standings: Standing[] = [];
  readonly answering = new Set<NodeId>();
  nowMs = 0;
  #answered = 0;

  constructor(id: NodeId, membership: Membership, incarnation = '') {
    const log = new MemoryLog();
    const append = (batch: StorageBatch, done: () => void): void => {
      this.stored.push(batch);
      log.store(batch);
      done();
    };
    this.host = new RaftHost(
      {
        ...{ id, incarnation, leaseMs: LEASE_MS, ticksPerLease: TICKS_PER_LEASE },
        core: {
          electionTicks: TICKS_PER_LEASE,
          electionJitterTicks: 1,
          heartbeatTicks: 1,
          preVote: false,
          checkQuorum: true,
          appendBytesMax: 1000,
          inflightMessagesMax: 8,
          inflightBytesMax: 8000,
          uncommittedBytesMax: 8000,
          applyingBytesMax: 8000,
        },
      },
      {
        ...{ hardState: log.hardState, membership, applied: 0 },
        ...{ longestPromiseMs: 0, tenureRecords: [], isMuted: false },
      },
      {
        storage: Object.assign(log, { append, subscribe() {} }),
        readTenure: () => undefined,
        random: () => 0,
        send: (message) => this.sent.push(message),
        nowMs: () => this.nowMs,
        events: {
          onStanding: (standing) => this.standings.push(standing),
          onApply: (work) => this.host.applied(work),
          onMembership: (changed) => this.memberships.push(changed),
          onStateNeeded() {},
          onSpace() {},
          onMuted() {},
          onStorageFailed() {},
        },
      },
    );
  }

  /** Lets so many ticks pass, with everything answered in between. */
  pass(ticks: number): void {
    for (let tick = 0; tick < ticks; tick += 1) {
      this.nowMs += TICK_MS;
      this.host.advance();
      this.settle();
    }
  }

  /** Those who answer do, until there is nothing left to answer. */
  settle(): void {
    while (this.#answered < this.sent.length) {
      const peer = this.sent[this.#answered] as PeerMessage;
      this.#answered += 1;
      const message = answerTo(peer.message);
      if (message === undefined || !this.answering.has(message.from)) continue;
      const promiseMs = message.type === 'heartbeatResponse' ? peer.promiseMs : 0;
      const { fromIncarnation: toIncarnation, toIncarnation: fromIncarnation } = peer;
      this.host.receive([{ message, promiseMs, fromIncarnation, toIncarnation }]);
    }
  }

  /** Has it elected by the members that answer. */
  lead(...answering: readonly NodeId[]): void {
    for (const id of answering) this.answering.add(id);
    this.pass(12);
    if (this.host.standing.role !== 'leader') throw new Error('it was not elected');
  }
}

function answerTo(message: Message): Message | undefined {
  const envelope = { from: message.to, to: message.from, term: message.term };
  switch (message.type) {
    case 'vote':
      return { ...envelope, type: 'voteResponse', rejected: false };
    case 'heartbeat':
      return { ...envelope, type: 'heartbeatResponse', round: message.round };
    case 'append': {
      const index = message.prevIndex + message.entries.length;
      const accepted = { rejected: false, hintIndex: 0, hintTerm: 0, hasLost: false };
      return { ...envelope, type: 'appendResponse', index, ...accepted };
    }
    default:
      return undefined;
  }
}
