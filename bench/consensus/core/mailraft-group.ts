/** Three of this project's cores. */

import { membershipOf } from '../../../src/consensus/core/membership/membership.ts';
import type { Message } from '../../../src/consensus/core/messages.ts';
import { RaftCore } from '../../../src/consensus/core/raft-core.ts';
import { assert } from '../../../src/errors.ts';
import { type CoreGroup, LIMITS, MEMBERS, PAYLOAD_BYTES } from './core-group.ts';
import { MemoryLog } from './memory-log.ts';

interface Member {
  readonly id: string;
  readonly core: RaftCore;
  readonly log: MemoryLog;
}

const payload = Buffer.alloc(PAYLOAD_BYTES, 'x');

export class MailraftGroup implements CoreGroup {
  readonly #members: readonly Member[] = MEMBERS.map(makeMember);
  readonly #leader = this.#members[0] as Member;
  #inFlight: Message[] = [];
  committed = 0;

  constructor() {
    this.#leader.core.campaign();
    this.#settle();
    assert(this.#leader.core.status.role === 'leader', 'the first member was not elected');
  }

  commit(batch: number): void {
    const proposals = Array.from({ length: batch }, () => ({
      kind: 'command' as const,
      data: payload,
    }));
    const { kind } = this.#leader.core.propose(proposals);
    assert(kind === 'accepted', 'a proposal was dropped');
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
    const { core, log } = member;
    const ready = core.ready();
    if (ready === undefined) return false;
    for (const message of ready.messages) this.#inFlight.push(message);
    if (ready.append !== undefined) {
      log.store(ready.append);
      for (const message of core.appended(ready.append)) this.#inFlight.push(message);
    }
    if (ready.apply !== undefined) {
      if (member === this.#leader) this.committed += ready.apply.entries.length;
      core.applied(ready.apply);
    }
    return true;
  }

  #deliver(): boolean {
    const messages = this.#inFlight;
    this.#inFlight = [];
    for (const message of messages) {
      const to = this.#members.find(({ id }) => id === message.to) as Member;
      to.core.step(message);
    }
    return messages.length > 0;
  }
}

function makeMember(id: string): Member {
  const log = new MemoryLog();
  const core = new RaftCore(
    {
      id,
      electionTicks: LIMITS.electionTicks,
      heartbeatTicks: LIMITS.heartbeatTicks,
      preVote: true,
      checkQuorum: true,
      appendBytesMax: LIMITS.appendBytesMax,
      inflightMessagesMax: LIMITS.inflightMessagesMax,
      inflightBytesMax: LIMITS.unappliedBytesMax,
      uncommittedBytesMax: LIMITS.unappliedBytesMax,
      applyingBytesMax: LIMITS.unappliedBytesMax,
      random: () => 0,
    },
    {
      hardState: { term: 0, vote: '', commit: 0 },
      membership: membershipOf({ voters: MEMBERS }),
      applied: 0,
    },
    log,
  );
  return { id, core, log };
}
