/**
 * A group of bare cores whose messages, writes and ticks the test moves by hand.
 *
 * `settle()` carries out everything that is to be done until nothing is left;
 * `cut` names members whose messages are lost both ways.
 */

import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import type { Message } from '../../src/consensus/core/messages.ts';
import type { CoreOptions } from '../../src/consensus/core/options.ts';
import { RaftCore } from '../../src/consensus/core/raft-core.ts';
import type {
  Entry,
  Membership,
  NodeId,
  PlacedMembership,
} from '../../src/consensus/core/types.ts';
import { MemoryLog } from './memory-storage.ts';

export interface GroupMember {
  core: RaftCore;
  readonly log: MemoryLog;
  readonly applied: Entry[];
  /** The configuration that was told last. */
  placed: PlacedMembership;
  /** Answered reads: token and index. */
  readonly reads: [string, number][];
}

export class CoreGroup {
  readonly members = new Map<NodeId, GroupMember>();
  readonly cut = new Set<NodeId>();
  /** Messages not yet delivered, in the order of sending. */
  inFlight: Message[] = [];
  readonly #ids: NodeId[];
  readonly #overrides: Partial<CoreOptions>;
  readonly #membership: Membership;

  /** @param parts of the membership besides its voters, which are all */
  constructor(
    ids: readonly NodeId[],
    overrides: Partial<CoreOptions> = {},
    parts: Partial<Membership> = {},
  ) {
    this.#ids = [];
    this.#membership = membershipOf({ voters: ids, ...parts });
    this.#overrides = overrides;
    for (const id of ids) this.start(id);
    for (const id of parts.learners ?? []) this.start(id);
  }

  /** Starts one with an empty log, which knows the configuration that the group began with. */
  start(id: NodeId): void {
    const log = new MemoryLog();
    const placed = { index: 0, membership: this.#membership };
    this.members.set(id, {
      ...{ core: this.#make(id, log, placed), log, placed },
      ...{ applied: [], reads: [] },
    });
    this.#ids.push(id);
  }

  of(id: NodeId): GroupMember {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`no member ${id}`);
    return member;
  }

  /** The one that leads in the highest term, if any. */
  get leader(): NodeId | undefined {
    const leading = [...this.members].filter(([, { core }]) => core.status.role === 'leader');
    leading.sort(([, a], [, b]) => b.core.status.term - a.core.status.term);
    return leading[0]?.[0];
  }

  /** Loses everything that was not stored. */
  restart(id: NodeId): void {
    const member = this.of(id);
    member.core = this.#make(id, member.log, member.placed);
    member.applied.length = 0;
    this.inFlight = this.inFlight.filter((message) => message.from !== id);
  }

  /** Loses what was told of the configuration; the log is still there. */
  forgetPlaced(id: NodeId): void {
    this.of(id).placed = { index: 0, membership: this.#membership };
  }

  /** Carries out the work of one member: stores, applies, queues what it says. */
  work(id: NodeId): boolean {
    const member = this.of(id);
    const { core, log, applied } = member;
    const ready = core.ready();
    if (ready === undefined) return false;
    if (ready.membership !== undefined) member.placed = ready.membership;
    for (const { token, index } of ready.reads) member.reads.push([token, index]);
    this.inFlight.push(...ready.messages);
    if (ready.append !== undefined) {
      log.store(ready.append);
      this.inFlight.push(...core.appended(ready.append));
    }
    if (ready.apply !== undefined) {
      applied.push(...ready.apply.entries);
      core.applied(ready.apply);
    }
    return true;
  }

  /** Delivers all messages of now; those from or to the cut are lost. */
  deliver(): boolean {
    const now = this.inFlight;
    this.inFlight = [];
    for (const message of now) {
      if (this.cut.has(message.from) || this.cut.has(message.to)) continue;
      this.members.get(message.to)?.core.step(message);
    }
    return now.length > 0;
  }

  settle(): void {
    for (let round = 0; round < 10_000; round += 1) {
      const worked = this.#ids.map((id) => this.work(id)).some((did) => did);
      if (!this.deliver() && !worked) return;
    }
    throw new Error('the group does not come to rest');
  }

  /** Moves work and messages on, a step at a time, until `isReached` between two of them. */
  until(isReached: () => boolean): void {
    for (let round = 0; round < 1000; round += 1) {
      for (const id of this.#ids) {
        if (isReached()) return;
        this.work(id);
      }
      if (isReached()) return;
      this.deliver();
    }
    throw new Error('it was never reached');
  }

  tick(id: NodeId, count = 1): void {
    for (let i = 0; i < count; i += 1) this.of(id).core.tick();
  }

  /** Lets time pass for all but those named, with everything delivered in between. */
  pass(ticks: number, without: readonly NodeId[] = []): void {
    for (let tick = 0; tick < ticks; tick += 1) {
      for (const id of this.#ids) if (!without.includes(id)) this.tick(id);
      this.settle();
    }
  }

  /** Makes `id` leader by its own timeout. */
  elect(id: NodeId): void {
    this.of(id).core.campaign();
    this.settle();
  }

  propose(id: NodeId, text: string): ReturnType<RaftCore['propose']> {
    return this.of(id).core.propose([{ kind: 'command', data: Buffer.from(text) }]);
  }

  /** Applied commands as text. */
  commandsOf(id: NodeId): string[] {
    return this.of(id)
      .applied.filter((entry) => entry.kind === 'command')
      .map((entry) => Buffer.from(entry.data).toString());
  }

  #make(id: NodeId, log: MemoryLog, { index, membership }: PlacedMembership): RaftCore {
    const options: CoreOptions = {
      id,
      electionTicks: 10,
      heartbeatTicks: 1,
      preVote: true,
      checkQuorum: true,
      appendBytesMax: 1 << 20,
      inflightMessagesMax: 64,
      inflightBytesMax: 1 << 24,
      uncommittedBytesMax: 1 << 24,
      applyingBytesMax: 1 << 24,
      random: () => 0,
      ...this.#overrides,
    };
    const { hardState } = log;
    const start = {
      hardState,
      membership,
      membershipIndex: index,
      applied: log.firstIndex - 1,
      configs: log.configs,
    };
    return new RaftCore(options, start, log);
  }
}
