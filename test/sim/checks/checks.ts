/**
 * What must hold after every step of a simulation: the face of the single checks, each of
 * which says in its file what it verifies and what not.
 *
 * Here: reads are not old: a read goes on from an index that covers everything that
 * anybody knew to be committed when it was asked for.
 *
 * Not checked anywhere here: that anything ever happens (see ../peace.ts).
 */

import type {
  Entry,
  EntryId,
  LogIndex,
  Membership,
  NodeId,
} from '../../../src/consensus/core/types.ts';
import type { PeerMessage, Standing } from '../../../src/consensus/host/ports.ts';
import type { StorageBatch } from '../../../src/consensus/host/storage.ts';
import type { Counts } from '../counts.ts';
import { lastIndexOf } from '../storage/image.ts';
import type { MemberStorage, Recovered } from '../storage/member-storage.ts';
import { Violation } from '../violation.ts';
import type { World } from '../world.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { Commits, type LogOf } from './commits.ts';
import { Configurations, isConfigChange } from './configurations.ts';
import { Elections } from './elections.ts';
import { Leases } from './leases.ts';
import { Logs } from './logs.ts';
import type { Watched } from './watched.ts';
import { WitnessCopies } from './witness.ts';

export class Checks {
  readonly #world: World;
  readonly #counts: Counts;
  readonly #witness: NodeId;
  readonly #members = new Map<NodeId, Watched>();
  readonly #elections = new Elections();
  readonly #logs = new Logs();
  readonly #configurations: Configurations;
  readonly #commits: Commits;
  readonly #acknowledgements = new Acknowledgements(this.#members);
  readonly #leases = new Leases(this.#members);
  readonly #copies: WitnessCopies;
  /** The highest entry that anybody knows to be committed. */
  #known = 0;

  constructor(world: World, counts: Counts, first: Membership) {
    this.#world = world;
    this.#counts = counts;
    this.#witness = first.witness;
    this.#configurations = new Configurations(first);
    this.#commits = new Commits(this.#members, this.#configurations, first.witness);
    this.#copies = new WitnessCopies(this.#members, this.#configurations, first.witness);
  }

  watch(member: Watched): void {
    this.#members.set(member.id, member);
  }

  /** The last entry that anybody applied. */
  get commitMax(): LogIndex {
    return this.#commits.max;
  }

  get lastCommitted(): EntryId | undefined {
    return this.#commits.last;
  }

  get knownCommitted(): LogIndex {
    return this.#known;
  }

  /** The last configuration that was committed. */
  get membership(): Membership {
    return this.#configurations.latest;
  }

  get holder(): NodeId | undefined {
    return this.#leases.holder;
  }

  /** A schedule invents a term. */
  electionHeld(term: number): void {
    this.#elections.heldFor(term);
  }

  standing(id: NodeId, standing: Standing, log: LogOf): void {
    this.#counts.add(`role ${standing.role}`);
    if (!this.#elections.standing(id, standing)) return;
    const { term } = standing;
    this.#commits.elected(id, term, log);
    const isPast = (other: NodeId) => (this.#elections.termOf(other) ?? 0) > term;
    this.#leases.elected(id, this.#world.nowMs, isPast);
  }

  /** A process of `id` starts with what it found, and with its files as of `applied`. */
  recovered(id: NodeId, found: Recovered, storage: MemberStorage, applied: LogIndex): void {
    this.#acknowledgements.recovered(id, found, storage);
    this.#elections.restarted(id, found.hardState.term);
    const changes = found.configs.filter(isConfigChange).map(({ index }) => index);
    this.#configurations.restarted(id, changes);
    this.restarted(id, applied);
  }

  /** A process of `id` may apply from here. */
  restarted(id: NodeId, applied: LogIndex): void {
    this.#commits.restarted(id, applied);
  }

  /** The machine of `id` has another disk. */
  wiped(id: NodeId): void {
    this.#acknowledgements.wiped(id);
  }

  /** @param commit up to where the member knows its log to be committed */
  stored(id: NodeId, batch: StorageBatch, log: LogOf, commit: LogIndex): void {
    this.#acknowledgements.stored(id, batch);
    const first = batch.entries[0];
    if (first === undefined) return;
    const { durable } = (this.#members.get(id) as Watched).storage;
    if (first.index <= lastIndexOf(durable)) this.#counts.add('truncation');
    for (const entry of batch.entries)
      if (entry.kind === 'config') this.#counts.add('config entry');
    this.#configurations.stored(id, batch.entries, commit);
    if (id !== this.#witness) this.#logs.stored(batch.entries, log.termAt(first.index - 1) ?? 0);
  }

  applied(id: NodeId, entry: Entry): void {
    this.#commits.applied(id, entry, this.#elections.termOf(id) ?? entry.term);
  }

  /** A member knows `entry` to be committed; with a copy set, because it counted itself. */
  committed(entry: EntryId, copySet: readonly NodeId[]): void {
    if (entry.index > this.#known) this.#known = entry.index;
    this.#copies.committed(entry, copySet);
  }

  /** A member hands a message to the network; `copySet` is the one in force for it. */
  sent(message: PeerMessage, copySet: readonly NodeId[]): void {
    this.#copies.sent(message, copySet);
    this.#acknowledgements.sent(message);
    const { type, from, to, term } = message.message;
    if (type === 'voteResponse' && !message.message.rejected) {
      this.#elections.voted((this.#members.get(from) as Watched).incarnation, term, to);
    }
  }

  /** A read that was asked for when `known` was committed may go on from `index`. */
  read(id: NodeId, index: LogIndex, known: LogIndex): void {
    if (index >= known) return;
    throw new Violation('reads are not old', `${id} reads at ${index}, ${known} was committed`);
  }

  leased(id: NodeId, membership: Membership, untilMs: number, nowMs: number): void {
    this.#leases.leased(id, untilMs, nowMs);
    if (untilMs > nowMs) this.#leases.rests(id, membership, untilMs, nowMs);
  }

  held(id: NodeId, isHeld: boolean): void {
    this.#leases.held(id, isHeld);
  }
}
