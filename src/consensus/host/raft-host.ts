/**
 * Drives the pure core with storage, network and clock as ports. The daemon and
 * the simulator run this same code.
 *
 * Beyond the core's rules it keeps the lease: it stamps heartbeat rounds, counts
 * the voters' promises, keeps this member's own, and lets a vote pass against a
 * promise only for the target of a recorded hand-over (safety rules 1-5).
 */

import { assert } from '../../errors.ts';
import type { ConfigChange } from '../core/membership/change.ts';
import type { HeartbeatMessage, Message, SnapshotMessage } from '../core/messages.ts';
import { type ProposeResult, RaftCore, type TransferResult } from '../core/raft-core.ts';
import type { AppendWork, ApplyWork, CoreStatus, Ready } from '../core/ready.ts';
import type { MemberProgress } from '../core/tracker/tracker.ts';
import {
  type LogIndex,
  type Membership,
  NO_NODE,
  type NodeId,
  type PlacedMembership,
  type SnapshotMark,
} from '../core/types.ts';
import { admits } from './admission.ts';
import { Incarnations, NO_INCARNATION } from './incarnations.ts';
import { Lease, withoutDrift } from './lease.ts';
import { Muting } from './muting.ts';
import { Pace } from './pace.ts';
import type { HostOptions, HostPorts, HostStart, PeerMessage, Standing } from './ports.ts';
import { ReadWaiters } from './read-waiters.ts';
import { PROMISE_MS_MAX, Silence } from './silence.ts';
import { NOTHING_TO_STORE } from './storage.ts';
import { StorageWatch } from './storage-watch.ts';
import { type PlacedTenureRecord, TenureRecords } from './tenure-records.ts';

/** After a pause no more ticks than this are made up for: queued words come first. */
const TICKS_PER_ADVANCE_MAX = 2;

export class RaftHost {
  readonly #id: NodeId;
  readonly #ports: HostPorts;
  readonly #core: RaftCore;
  readonly #lease: Lease;
  readonly #silence: Silence;
  readonly #records: TenureRecords;
  readonly #watch = new StorageWatch();
  readonly #muting: Muting;
  readonly #incarnations: Incarnations;
  readonly #reads = new ReadWaiters();
  /** The promise that each leader last asked for, for the answer that is about to leave. */
  readonly #askedMs = new Map<NodeId, number>();
  #leaseMs: number;
  readonly #pace: Pace;
  #standing: Standing;
  #isEligible = true;
  #isServiceHeld = false;
  #storingPromiseMs = 0;
  #isDraining = false;
  #isFailed = false;
  /** The term of an entry of the own log. */
  readonly termAt = (index: LogIndex): number | undefined => this.#core.termAt(index);

  constructor(options: HostOptions, start: HostStart, ports: HostPorts) {
    this.#id = options.id;
    this.#ports = ports;
    this.#leaseMs = options.leaseMs;
    this.#pace = new Pace(options.ticksPerLease, options.leaseMs, ports.nowMs());
    this.#core = new RaftCore(
      {
        ...options.core,
        id: options.id,
        random: ports.random,
        mayReconfigure: () => this.#lease.covers(this.#core.membership, ports.nowMs()),
      },
      start,
      ports.storage,
    );
    this.#lease = new Lease(options.id);
    this.#silence = new Silence(start.longestPromiseMs, ports.nowMs());
    this.#records = new TenureRecords(ports.readTenure, start.tenureRecords);
    this.#muting = new Muting(start.isMuted, (isMuted) => ports.events.onMuted(isMuted));
    this.#incarnations = new Incarnations(options.incarnation ?? NO_INCARNATION);
    this.#standing = this.#standingNow();
    ports.storage.subscribe({
      onLoaded: () => this.#loaded(),
      onCondition: (condition) => this.#heedSpace(condition === 'ok'),
      onFailed: (error) => this.#storageFailed(error),
    });
  }

  get status(): CoreStatus {
    return this.#core.status;
  }

  get standing(): Standing {
    return this.#standing;
  }

  get membership(): Membership {
    return this.#core.membership;
  }

  /** The configuration in effect, and the entry that it stems from. */
  get placedMembership(): PlacedMembership {
    return this.#core.placedMembership;
  }

  /** Election timeouts are drawn from `from` to below `below` ticks beyond the least. */
  setElectionJitter(from: number, below: number): void {
    this.#core.setElectionJitter(from, below);
  }

  /** Who must hold an entry before it commits, as of the own log; empty without a witness. */
  get copySet(): readonly NodeId[] {
    return this.#core.copySet;
  }

  get leaseMs(): number {
    return this.#leaseMs;
  }

  /** The last tenure record of the own log, committed or not. */
  get lastTenureRecord(): PlacedTenureRecord | undefined {
    return this.#records.last;
  }

  /** Whether this member leads and an entry of its own term is committed. */
  get hasCommittedOwnTerm(): boolean {
    return this.#core.hasCommittedOwnTerm;
  }

  /** Target of a transfer under way. */
  get transferTarget(): NodeId | undefined {
    return this.#core.transferTarget;
  }

  get isStorageStalled(): boolean {
    return this.#watch.isStalled;
  }

  /** The storage may lack what this member acknowledged, and so it takes no part in elections. */
  get isMuted(): boolean {
    return this.#muting.isMuted;
  }

  /** Until when this member votes for nobody, in ms of its clock. */
  get silentUntilMs(): number {
    return this.#silence.untilMs;
  }

  progress(): readonly MemberProgress[] {
    return this.#core.progress();
  }

  /** Until when `voter` keeps its promise to this leader; undefined if it gave none. */
  promisedUntilMs(voter: NodeId): number | undefined {
    return this.#lease.answeredUntilMs(voter);
  }

  /** Until when this leader's lease lasts, in ms of its clock; 0 without one. */
  get leaseEndMs(): number {
    if (this.#core.status.role !== 'leader') return 0;
    // A group of one owes its lease to nobody, but is still to look at its clock.
    const most = this.#ports.nowMs() + withoutDrift(this.#leaseMs);
    return this.#lease.tell(this.#core.membership, most);
  }

  /** Takes over a lease length that was committed; rounds from now on ask for it. */
  setLeaseMs(leaseMs: number): void {
    assert(leaseMs > 0 && leaseMs <= PROMISE_MS_MAX, `a lease of ${leaseMs} ms`);
    this.#leaseMs = leaseMs;
    this.#pace.decided(leaseMs);
    if (this.#core.status.role === 'leader') this.#promiseItself();
  }

  /** Whether this member may stand for election: it has all data that a primary needs. */
  setEligible(isEligible: boolean): void {
    this.#isEligible = isEligible;
  }

  /** The storage turned out to be an older state of itself (rule 24). */
  bar(): void {
    this.#incarnations.bar();
  }

  /** Whether silent members may leave the copy set: not by a leader that is about to stop. */
  setShrinksCopies(isAllowed: boolean): void {
    this.#core.setShrinksCopies(isAllowed);
  }

  /** Whether the guardian may still run the service or hold the address (rule 4). */
  setServiceHeld(isHeld: boolean): void {
    this.#isServiceHeld = isHeld;
  }

  /** Looks at the clock; call it about once a tick, after queued messages were taken. */
  advance(): void {
    if (this.#isFailed) return;
    const nowMs = this.#ports.nowMs();
    this.#adoptPace(nowMs);
    const due = this.#pace.takeDue(nowMs);
    if (this.#watch.check(nowMs, this.#leaseMs, this.copySet)) this.#core.resign();
    for (let tick = 0; tick < Math.min(due, TICKS_PER_ADVANCE_MAX); tick += 1) {
      this.#core.tick(this.#mayCampaign(nowMs));
    }
    this.#drain();
  }

  /** Length of a tick. */
  get tickMs(): number {
    return this.#pace.tickMs;
  }

  /** A leader slows down only when the voters keep the longer promise, else its lease would end. */
  #adoptPace(nowMs: number): void {
    const isLeader = this.#core.status.role === 'leader';
    const isInForce = this.leaseEndMs - nowMs > this.#leaseMs / 2;
    if (!isLeader || isInForce) this.#pace.inForce(this.#leaseMs);
  }

  /** Takes what peers sent, in the order of arrival. */
  receive(received: readonly PeerMessage[]): void {
    if (this.#isFailed) return;
    for (const peer of received) {
      const { message, promiseMs } = peer;
      const isMeant = this.#incarnations.refusalOf(peer, this.membership) === undefined;
      if (message.to !== this.#id || !isMeant || !this.#admits(peer)) continue;
      this.#take(message, promiseMs);
    }
    this.#drain();
  }

  propose(data: readonly Uint8Array[]): ProposeResult {
    if (this.#isFailed) return { kind: 'dropped', reason: 'notLeader' };
    const result = this.#core.propose(data.map((bytes) => ({ kind: 'command', data: bytes })));
    this.#drain();
    return result;
  }

  /**
   * Proposes a change of the configuration; it takes effect when it is committed, and is
   * told by `onMembership`. One at a time: `changePending` until the one before is in effect
   * and the lease rests on it.
   */
  proposeConfig(change: ConfigChange): ProposeResult {
    if (this.#isFailed) return { kind: 'dropped', reason: 'notLeader' };
    const result = this.#core.proposeConfig(change);
    this.#drain();
    return result;
  }

  /**
   * Asks from which index on a read is not old. Only a leader is told.
   *
   * @param hear gets the index once a quorum has confirmed it, or undefined when this
   *   member does not lead, or no more
   */
  readIndex(hear: (index: LogIndex | undefined) => void): void {
    const isAsked = !this.#isFailed && this.#core.readIndex(this.#reads.add(hear));
    if (isAsked) this.#drain();
    else this.#reads.giveUp();
  }

  /** Gives the lead to `to`, on the committed hand-over record at `handover`. */
  transfer(to: NodeId, handover: LogIndex): TransferResult {
    assert(
      this.#records.handsOver(to, this.#core.status.term, handover),
      'a transfer without its hand-over record',
    );
    const result = this.#core.transfer(to, handover);
    this.#drain();
    return result;
  }

  /** Gives up the lead; the voters keep what they promised. */
  resign(): void {
    this.#core.resign();
    this.#drain();
  }

  /** Messages to `id` were lost with its connection. */
  reportUnreachable(id: NodeId): void {
    this.#core.reportUnreachable(id);
    // It may not have heard that it is to fetch the state: it is told again.
    this.#core.reportSnapshot(id, false);
    this.#drain();
  }

  applied(work: ApplyWork): void {
    this.#core.applied(work);
    this.#drain();
  }

  /**
   * The state at `mark` is complete and synced: the log begins after it now.
   *
   * @param last the last tenure record of that state
   * @returns false while no leader is known to tell of it: try again
   */
  installState(mark: SnapshotMark, last: PlacedTenureRecord | undefined): boolean {
    const { leader, term, commit, role } = this.#core.status;
    if (leader === NO_NODE || role === 'leader') return false;
    const isNewer = mark.index > commit;
    this.#core.step({ type: 'snapshot', from: leader, to: this.#id, term, snapshot: mark });
    if (isNewer) this.#records.restored(last);
    this.#drain();
    return true;
  }

  /**
   * Who has the state that is being fetched knows this configuration. It is kept before that
   * state is: a log that begins after the state lacks the changes that led to it.
   */
  foresee(membership: PlacedMembership, then: () => void = () => undefined): void {
    if (!this.#isFailed) this.#store({ ...NOTHING_TO_STORE, membership, mustSync: true }, then);
  }

  compact(floor: LogIndex): void {
    this.#ports.storage.compact(floor);
  }

  #admits(peer: PeerMessage): boolean {
    const mayVote = !this.#isBarred && this.#incarnations.mayVote(peer, this.membership);
    return admits(peer.message, {
      self: this.#id,
      term: this.#core.status.term,
      mayVote,
      isSilent: () => this.#silence.isDue(this.#ports.nowMs()),
      mayLead: this.#isEligible && !this.#isBarred && this.#takesPart,
      records: this.#records,
    });
  }

  #take(message: Message, promiseMs: number): void {
    if (message.type === 'snapshot') {
      this.#takeSnapshot(message);
      return;
    }
    if (message.type === 'heartbeat') {
      this.#noteAsked(message, promiseMs);
      this.#takeHeartbeat(message);
      return;
    }
    this.#core.step(message);
    if (message.type === 'append') this.#muting.heard(message, this.#core.status, this.termAt);
    if (message.type === 'heartbeatResponse' && message.term === this.#core.status.term) {
      this.#lease.answered(message.from, message.round, promiseMs);
      // A leader is bound by its own lease when it is none any more (rule 4).
      this.#silence.holdUntil(this.leaseEndMs);
    }
  }

  #takeHeartbeat(message: HeartbeatMessage): void {
    this.#core.step(this.#muting.heartbeat(message, this.#core.status));
    const loss = this.#muting.answerTo(message, this.#core.status);
    if (loss !== undefined) this.#send(loss);
  }

  /** The core takes a state only when it is there: until then it is only named. */
  #takeSnapshot(message: SnapshotMessage): void {
    const { term, commit } = this.#core.status;
    if (message.term < term) return;
    if (message.snapshot.index <= commit) this.#core.step(message);
    else this.#ports.events.onStateNeeded(message.snapshot, message.from);
  }

  #noteAsked(message: HeartbeatMessage, promiseMs: number): void {
    const askedMs = Math.min(promiseMs, PROMISE_MS_MAX);
    this.#askedMs.set(message.from, askedMs);
    this.#storePromise(askedMs, () => undefined);
  }

  /** A promise longer than any before must outlive a restart before it is given (rule 2). */
  #storePromise(promiseMs: number, then: () => void): void {
    if (promiseMs <= Math.max(this.#silence.longestMs, this.#storingPromiseMs)) return;
    this.#storingPromiseMs = promiseMs;
    this.#store({ ...NOTHING_TO_STORE, promiseMs, mustSync: true }, () => {
      this.#silence.stored(promiseMs);
      then();
    });
  }

  /**
   * A leader is one of those who promise it silence, and would forget as much as they by a
   * restart. It asks nobody for more than it keeps itself.
   */
  #promiseItself(): void {
    this.#storePromise(this.#leaseMs, () => this.#core.beat());
  }

  get #takesPart(): boolean {
    return this.#incarnations.takesPart(this.membership, this.#id);
  }

  /** What bars from elections whatever was promised to whom. */
  get #isBarred(): boolean {
    const { isStalled, isFull } = this.#watch;
    return this.#isServiceHeld || isStalled || isFull || this.#muting.isMuted;
  }

  #mayCampaign(nowMs: number): boolean {
    const isFree = !this.#isBarred && !this.#silence.isDue(nowMs);
    return this.#isEligible && isFree && this.#takesPart;
  }

  /** Does all work that the core has, until it has none. */
  #drain(): void {
    // A storage or state machine that answers at once calls back in here.
    if (this.#isDraining || this.#isFailed) return;
    this.#isDraining = true;
    try {
      for (let ready = this.#core.ready(); ready !== undefined; ready = this.#core.ready()) {
        this.#perform(ready);
      }
    } finally {
      this.#isDraining = false;
    }
  }

  #perform(ready: Ready): void {
    this.#tellStanding();
    if (ready.membership !== undefined) this.#keepMembership(ready.membership);
    this.#reads.answer(ready.reads);
    for (const message of ready.messages) this.#send(message);
    if (ready.append !== undefined) this.#append(ready.append);
    if (ready.apply !== undefined) {
      this.#records.committed(this.#core.status.commit);
      this.#ports.events.onApply(ready.apply);
    }
  }

  /** Durable before the log can be compacted past the entry that it stems from. */
  #keepMembership(placed: PlacedMembership): void {
    this.#store({ ...NOTHING_TO_STORE, membership: placed, mustSync: true }, () => undefined);
    this.#ports.events.onMembership(placed.membership);
  }

  #append(work: AppendWork): void {
    this.#records.appended(work.entries);
    const { hardState, entries, snapshot, mustSync } = work;
    this.#store({ hardState, entries, snapshot, mustSync, promiseMs: undefined }, () => {
      for (const message of this.#core.appended(work)) this.#send(message);
    });
  }

  #store(batch: Parameters<HostPorts['storage']['append']>[0], done: () => void): void {
    this.#watch.begin(this.#ports.nowMs());
    this.#ports.storage.append(batch, () => {
      if (this.#isFailed) return;
      const wantsProof = this.#watch.end();
      done();
      this.#muting.stored(this.#ports.storage);
      if (wantsProof) this.#prove();
      this.#drain();
    });
  }

  #prove(): void {
    this.#store({ ...NOTHING_TO_STORE, mustSync: true }, () => this.#watch.proved());
  }

  #send(message: Message): void {
    const promiseMs = this.#promiseFor(message);
    const said = this.#muting.outgoing(message, this.#core.status, this.termAt);
    this.#ports.send({
      message: said,
      promiseMs,
      ...this.#incarnations.of(message, this.membership),
    });
  }

  #promiseFor(message: Message): number {
    const nowMs = this.#ports.nowMs();
    if (message.type === 'heartbeat') this.#lease.roundSent(message.round, nowMs);
    if (message.type === 'heartbeat') return Math.min(this.#leaseMs, this.#silence.longestMs);
    if (message.type !== 'heartbeatResponse') return 0;
    return this.#silence.promise(this.#askedMs.get(message.to) ?? 0, nowMs);
  }

  #standingNow(): Standing {
    const { role, term, leader } = this.#core.status;
    return { role, term, leader, ledByTransfer: this.#core.ledByTransfer };
  }

  #tellStanding(): void {
    const before = this.#standing;
    const now = this.#standingNow();
    const isSame =
      before.role === now.role && before.term === now.term && before.leader === now.leader;
    if (isSame) return;
    this.#standing = now;
    if (before.role === 'leader') this.#reads.giveUp();
    if (now.role === 'leader') {
      this.#lease.reset();
      this.#promiseItself();
      // The service waits for the lease: the first round does not wait for its turn.
      this.#core.beat();
    }
    this.#ports.events.onStanding(now);
  }

  #heedSpace(hasSpace: boolean): void {
    this.#watch.setFull(!hasSpace, this.#ports.nowMs());
    this.#ports.events.onSpace(hasSpace);
  }

  #loaded(): void {
    this.#core.entriesLoaded();
    this.#drain();
  }

  #storageFailed(error: Error): void {
    // Nothing that the core might still say can be kept: it says nothing more.
    this.#isFailed = true;
    this.#reads.giveUp();
    this.#ports.events.onStorageFailed(error);
  }
}
