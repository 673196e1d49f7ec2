/**
 * One life of a simulated daemon: the real host and the real decisions over a simulated
 * storage, network, clock, guardian and file pipeline.
 */

import { dataVotersOf } from '../../src/consensus/core/copies/copy-sets.ts';
import type { ApplyWork } from '../../src/consensus/core/ready.ts';
import type {
  Entry,
  EntryId,
  LogIndex,
  PlacedMembership,
  SnapshotMark,
} from '../../src/consensus/core/types.ts';
import { incarnationIn } from '../../src/consensus/host/incarnations.ts';
import type { HostEvents, PeerMessage } from '../../src/consensus/host/ports.ts';
import { RaftHost } from '../../src/consensus/host/raft-host.ts';
import type { LogStorage, StorageBatch } from '../../src/consensus/host/storage.ts';
import type { PlacedTenureRecord } from '../../src/consensus/host/tenure-records.ts';
import { PrimaryControl } from '../../src/daemon/primary-control.ts';
import type { LogOf } from './checks/commits.ts';
import { type FilesState, SimFiles } from './files.ts';
import { ENDING } from './guardian.ts';
import type { MemberParts, SimMember } from './member.ts';
import type { MemberStorage, Recovered } from './storage/member-storage.ts';
import { encodeTenure, readTenure, TENURE_TAG } from './tenure-text.ts';

type WaitingQueue = 'network' | 'disk' | 'files' | 'guardian' | 'timer';

/** Before a state that could not be fetched is asked for again. */
const FETCH_AGAIN_MS = 300;

export class SimProcess {
  readonly #member: SimMember;
  readonly #parts: MemberParts;
  readonly #control: PrimaryControl;
  readonly #files: SimFiles;
  readonly host: RaftHost;
  #isEnded = false;
  #isPaused = false;
  #isFetching = false;
  #placed: PlacedMembership;
  readonly #log: LogOf = logOf(() => this.host);
  /** What waits for a paused daemon: each queue keeps its order, not all among each other. */
  readonly #waiting = new Map<WaitingQueue, (() => void)[]>();

  constructor(member: SimMember, parts: MemberParts, recovered: Recovered) {
    const { id, clock, chance, world, settings } = parts;
    this.#member = member;
    this.#parts = parts;
    this.#placed = recovered.placed;
    this.#files = new SimFiles(
      {
        id,
        world,
        chance,
        checks: parts.checks,
        saveEvery: settings.saveEvery,
        run: (act) => this.run('files', act),
        onApplied: (work) => this.host.applied(work),
        onChange: () => this.#control.evaluate(),
        onSaved: (state) => {
          member.saved = state;
        },
        onNotNeeded: (upTo) => this.#compact(upTo),
      },
      member.saved,
    );
    this.host = new RaftHost(
      {
        id,
        incarnation: member.incarnation,
        leaseMs: settings.leaseMs,
        ticksPerLease: settings.ticksPerLease,
        core: settings.core,
      },
      {
        hardState: hardStateOf(recovered, member.saved, member.storage),
        membership: recovered.placed.membership,
        membershipIndex: recovered.placed.index,
        applied: member.saved.position.index,
        configs: recovered.configs,
        longestPromiseMs: recovered.promiseMs,
        tenureRecords: recordsOf(recovered.tagged, member.saved.tenure),
        isMuted: recovered.isMuted,
      },
      {
        storage: new CheckedStorage(member.storage, (batch, done) => this.#append(batch, done)),
        readTenure,
        random: (below) => chance.below(below),
        send: (message) => this.#send(message),
        nowMs: () => clock.nowMs(),
        events: this.#events(),
      },
    );
    this.#control = this.#makeControl();
    this.#tickLater();
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get isLeading(): boolean {
    return this.host.standing.role === 'leader';
  }

  get appliedIndex(): LogIndex {
    return this.#files.appliedIndex;
  }

  get files(): FilesState {
    return this.#files.state;
  }

  /** The configuration in effect, and the entry that it stems from. */
  get placed(): PlacedMembership {
    return this.#placed;
  }

  get phase(): string {
    return this.#control.life.phase;
  }

  get isServing(): boolean {
    const { life } = this.#control;
    const isLeased = this.host.leaseEndMs > this.#parts.clock.nowMs();
    return isLeased && life.phase === 'serving' && life.upAtMs !== undefined;
  }

  evaluate(): void {
    this.#control.evaluate();
  }

  end(): void {
    this.#isEnded = true;
    this.#waiting.clear();
  }

  /** SIGSTOP; what arrives waits. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    while (this.#waiting.size > 0 && !this.#isPaused) {
      const queue = this.#parts.chance.pick([...this.#waiting.keys()]);
      const acts = this.#waiting.get(queue) ?? [];
      const act = acts.shift();
      if (acts.length === 0) this.#waiting.delete(queue);
      act?.();
    }
  }

  /** Runs now, or when the paused daemon goes on, or never when it has ended. */
  run(queue: WaitingQueue, act: () => void): void {
    if (this.#isEnded) return;
    if (!this.#isPaused) {
      act();
      return;
    }
    const acts = this.#waiting.get(queue) ?? [];
    this.#waiting.set(queue, acts);
    acts.push(act);
  }

  receive(message: PeerMessage): void {
    this.run('network', () => {
      const wasLeading = this.isLeading;
      this.host.receive([message]);
      // Other messages alone are nothing to decide upon, and for who follows none is.
      const isTold = wasLeading && message.message.type === 'heartbeatResponse';
      if (!isTold && wasLeading === this.isLeading) return;
      this.#member.noteLease();
      this.#control.evaluate();
    });
  }

  propose(data: readonly Uint8Array[]): boolean {
    if (this.#isPaused) return false;
    const result = this.host.propose(data);
    this.#control.evaluate();
    return result.kind === 'accepted';
  }

  #tickLater(): void {
    this.#parts.world.after(this.#tickDelayMs(), () => this.run('timer', () => this.#tick()));
  }

  #tick(): void {
    this.host.advance();
    this.#control.evaluate();
    this.#member.noteLease();
    this.#tickLater();
  }

  /** About a tick, now and then late: an event loop is not punctual. */
  #tickDelayMs(): number {
    const { clock, chance, settings } = this.#parts;
    const tickMs = clock.trueMs(settings.leaseMs / settings.ticksPerLease);
    const isLate = !this.#member.isPunctual && chance.happens(settings.lateTickRate);
    if (isLate) this.#parts.counts.add('fault lateTicks');
    return isLate ? tickMs + chance.around(tickMs * 4) : tickMs;
  }

  #send(message: PeerMessage): void {
    this.#parts.checks.sent(message, this.host.copySet);
    this.#parts.send(message);
  }

  #append(batch: StorageBatch, done: () => void): void {
    const { id, checks, storage } = { ...this.#parts, storage: this.#member.storage };
    if (batch.membership !== undefined) this.#placed = batch.membership;
    checks.stored(id, batch, this.#log, this.host.status.commit);
    storage.append(batch, () => this.run('disk', done));
  }

  #events(): HostEvents {
    const { id, checks, trace, counts } = this.#parts;
    const member = this.#member;
    return {
      onStanding: (standing) => {
        if (standing.role === 'leader') this.#parts.beforeElection();
        trace(() => `${id} ${standing.role} of ${standing.leader || 'nobody'} in ${standing.term}`);
        checks.standing(id, standing, this.#log);
        this.#parts.onStanding(member, standing);
      },
      onApply: (work) => this.#apply(work),
      onMembership: () => this.#parts.onMembership(member),
      onStateNeeded: (mark, leader) => this.#fetch(mark, leader),
      onSpace: () => undefined,
      onMuted: (isMuted) => {
        counts.add(isMuted ? 'muted' : 'whole again');
        trace(() => (isMuted ? `${id} is muted` : `${id} is whole again`));
        member.storage.setMuted(isMuted);
      },
      onStorageFailed: () => member.storageFailed(),
    };
  }

  #apply(work: ApplyWork): void {
    const { checks } = this.#parts;
    const last = work.entries.at(-1);
    if (last !== undefined) {
      const { term, role } = this.host.status;
      const isOwn = role === 'leader' && last.term === term;
      checks.committed(last, isOwn ? this.host.copySet : []);
    }
    this.#files.apply(work);
  }

  #compact({ index }: EntryId): void {
    const { chance, counts, trace, id } = this.#parts;
    // Some entries stay, for whoever lags a little.
    const floor = index + 1 - chance.below(40);
    if (floor <= this.host.status.firstIndex) return;
    counts.add('compaction');
    counts.add('fault compaction');
    trace(() => `${id} drops its log below ${floor}`);
    this.host.compact(floor);
  }

  /** The own log ends before the leader's begins: its files are fetched, as of then. */
  #fetch(mark: SnapshotMark, leader: string): void {
    const { id, trace } = this.#parts;
    if (this.#placed.membership.witness === id || mark.membership.witness === id) {
      // A witness has no data to fetch.
      this.#install(mark, { position: { index: mark.index, term: mark.term }, tenure: undefined });
      return;
    }
    trace(() => `${id} fetches the state at ${mark.index} or later from ${leader}`);
    if (!this.#isFetching) this.#fetchFrom(leader);
  }

  #fetchFrom(leader: string): void {
    const { chance, world } = this.#parts;
    this.#isFetching = true;
    world.after(chance.around(60), () => this.run('files', () => this.#fetched(leader)));
  }

  /** Tries until it has one: nobody tells it again while it does. */
  #fetched(leader: string): void {
    const source = this.#parts.sourceFor(this.#member.id, leader);
    const { storage } = this.#member;
    // The votes must be known to be older than what the files are of (see `begin`).
    const isEarly = storage.durable.hardState.term < (source?.files.position.term ?? 0);
    if (source === undefined || isEarly) {
      this.#fetchFrom(this.host.standing.leader || leader);
      return;
    }
    this.#isFetching = false;
    const { index: membershipIndex, membership } = source.placed;
    const { position } = source.files;
    if (position.index <= this.appliedIndex) return;
    const mark = { ...position, membership, membershipIndex };
    this.host.foresee(source.placed, () => this.#install(mark, source.files));
  }

  #install(mark: SnapshotMark, state: FilesState): void {
    const { id, checks, counts, trace, world } = this.#parts;
    if (state.position.index > this.appliedIndex) {
      counts.add('state installed');
      trace(() => `${id} has the state at ${mark.index}`);
      checks.restarted(id, state.position.index);
      this.#files.install(state);
    }
    if (this.host.installState(mark, state.tenure)) return;
    world.after(FETCH_AGAIN_MS, () => this.run('files', () => this.#install(mark, state)));
  }

  #makeControl(): PrimaryControl {
    const { id, clock, trace, settings, counts } = this.#parts;
    const member = this.#member;
    const controlSettings = {
      self: id,
      ending: ENDING,
      startDeadlineMs: 2 * settings.leaseMs,
      restartsMax: 2,
      restartsWithinMs: 10 * settings.leaseMs,
    };
    return new PrimaryControl(controlSettings, {
      host: this.host,
      guardian: member.guardian,
      files: this.#files,
      nowMs: () => clock.nowMs(),
      surroundings: () => ({
        canServe: true,
        obstacle: undefined,
        probes: member.guardian.facts(0).service === 'running' ? 'passing' : 'unknown',
        candidates: this.#isMoving ? this.#candidates() : [],
        switchover: member.switchover,
        isShuttingDown: false,
        illness: this.#isIll ? 'the disk stalls' : undefined,
      }),
      encodeRecord: encodeTenure,
      onLife: (before, after) => {
        trace(() => `${id} ${before.phase} -> ${after.phase} (term ${this.host.standing.term})`);
        counts.add(`life ${after.phase}`);
        if (after.phase === 'secondary' || after.phase === 'elected') member.switchover = undefined;
      },
    });
  }

  /** Whether anybody may be asked to take over; who could is costly to find out. */
  get #isMoving(): boolean {
    const { phase } = this.#control.life;
    if (phase === 'secondary' || phase === 'elected') return false;
    return phase !== 'serving' || this.#member.switchover !== undefined || this.#isIll;
  }

  get #isIll(): boolean {
    return this.host.isStorageStalled;
  }

  #candidates(): { id: string; isReady: boolean }[] {
    const { membership } = this.host;
    const data = dataVotersOf(membership);
    return this.host
      .progress()
      .filter(({ id }) => id !== this.#parts.id && data.includes(id))
      .map(({ id, isActive, state }) => ({ id, isReady: isActive && state === 'replicate' }));
  }

  /** Whether the configuration that is in effect here names `member` with its present disk. */
  names(member: SimMember): boolean {
    return incarnationIn(this.host.membership, member.id) === member.incarnation;
  }
}

/** The storage, with every write looked at before. */
class CheckedStorage implements LogStorage {
  readonly #storage: MemberStorage;
  readonly append: LogStorage['append'];

  constructor(storage: MemberStorage, append: LogStorage['append']) {
    this.#storage = storage;
    this.append = append;
  }

  get firstIndex(): LogIndex {
    return this.#storage.firstIndex;
  }

  get lastIndex(): LogIndex {
    return this.#storage.lastIndex;
  }

  termAt(index: LogIndex): number | undefined {
    return this.#storage.termAt(index);
  }

  entries(from: LogIndex, to: LogIndex, bytesMax: number): readonly Entry[] | undefined {
    return this.#storage.entries(from, to, bytesMax);
  }

  compact(floor: LogIndex): void {
    this.#storage.compact(floor);
  }

  subscribe(events: Parameters<LogStorage['subscribe']>[0]): void {
    this.#storage.subscribe(events);
  }
}

/** The log as the host has it, written or not. */
function logOf(host: () => RaftHost): LogOf {
  return {
    get firstIndex() {
      return host().status.firstIndex;
    },
    termAt: (index) => host().termAt(index),
  };
}

/** As the daemon begins: what is applied was committed, what is not there is not. */
function hardStateOf(
  { hardState }: Recovered,
  { position }: FilesState,
  { lastIndex }: MemberStorage,
): Recovered['hardState'] {
  const commit = Math.min(Math.max(hardState.commit, position.index), lastIndex);
  return { ...hardState, commit };
}

function recordsOf(
  tagged: readonly Entry[],
  applied: PlacedTenureRecord | undefined,
): PlacedTenureRecord[] {
  const records = tagged.flatMap((entry) => {
    const record = entry.data[0] === TENURE_TAG ? readTenure(entry) : undefined;
    return record === undefined ? [] : [{ index: entry.index, record }];
  });
  const isOlder = applied !== undefined && applied.index < (records[0]?.index ?? Infinity);
  return isOlder ? [applied, ...records] : records;
}
