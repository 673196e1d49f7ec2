/**
 * A simulated machine: the real host and the real decisions over a simulated
 * disk, network, clock, guardian and file pipeline.
 */

import { dataVotersOf } from '../../src/consensus/core/copies/copy-sets.ts';
import type { Entry, Membership } from '../../src/consensus/core/types.ts';
import type { HostEvents, PeerMessage, Standing } from '../../src/consensus/host/ports.ts';
import { RaftHost } from '../../src/consensus/host/raft-host.ts';
import type { LogStorage } from '../../src/consensus/host/storage.ts';
import type { PlacedTenureRecord, TenureRecord } from '../../src/consensus/host/tenure-records.ts';
import { PrimaryControl } from '../../src/daemon/primary-control.ts';
import type { EndingTimes } from '../../src/service/tenure/deadlines.ts';
import { CheckedStorage } from './checked-storage.ts';
import type { Checks } from './checks.ts';
import type { SimClock } from './clock.ts';
import type { DiskImage, SimDisk } from './disk.ts';
import { SimFiles } from './files.ts';
import { SimGuardian } from './guardian.ts';
import type { Chance } from './random.ts';
import type { World } from './world.ts';

export interface MemberParts {
  readonly id: string;
  readonly membership: Membership;
  readonly world: World;
  readonly clock: SimClock;
  readonly disk: SimDisk;
  readonly chance: Chance;
  readonly checks: Checks;
  readonly leaseMs: number;
  /** Ticks after which a follower stands; fewer than a lease has, to lean on promises alone. */
  readonly electionTicks: number;
  send(message: PeerMessage): void;
  trace(text: string): void;
  onStanding(standing: Standing): void;
}

const ENDING: EndingTimes = { stopBudgetMs: 200, killMs: 50, marginMs: 50 };
const TICKS_PER_LEASE = 80;
const CORE = {
  heartbeatTicks: 8,
  repeatRequestTicks: 8,
  preVote: true,
  checkQuorum: true,
  appendBytesMax: 256,
  inflightMessagesMax: 8,
  inflightBytesMax: 4096,
  uncommittedBytesMax: 16_384,
  applyingBytesMax: 4096,
};

type WaitingQueue = 'network' | 'disk' | 'files' | 'guardian' | 'timer';

/** The marker of a tenure record among the commands of a simulation. */
const RECORD = 'tenure ';

function readTenure(entry: Entry): TenureRecord | undefined {
  const text = Buffer.from(entry.data).toString();
  return text.startsWith(RECORD) ? JSON.parse(text.slice(RECORD.length)) : undefined;
}

export class SimMember {
  readonly #parts: MemberParts;
  readonly guardian: SimGuardian;
  #host: RaftHost | undefined;
  #control: PrimaryControl | undefined;
  #files: SimFiles | undefined;
  #life = 0;
  #isPaused = false;
  #leaseUntilMs = 0;
  /** What waits for a paused daemon: each queue keeps its order, not all among each other. */
  readonly #waiting = new Map<WaitingQueue, (() => void)[]>();
  switchover: { readonly to: string | undefined } | undefined;
  isPunctual = false;

  constructor(parts: MemberParts) {
    this.#parts = parts;
    const { id, world, clock, chance, checks } = parts;
    this.guardian = new SimGuardian({
      world,
      clock,
      chance: chance.fork(),
      ending: ENDING,
      events: {
        onHeld: (isHeld) => checks.held(id, isHeld),
        onReport: () => this.#run('guardian', () => this.#control?.evaluate()),
      },
    });
  }

  get id(): string {
    return this.#parts.id;
  }

  get host(): RaftHost | undefined {
    return this.#host;
  }

  /** Number of the process that runs, or ran. */
  get life(): number {
    return this.#life;
  }

  get isUp(): boolean {
    return this.#host !== undefined;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get isServing(): boolean {
    const life = this.#control?.life;
    const isLeased = (this.#host?.leaseEndMs ?? 0) > this.#parts.clock.nowMs();
    return isLeased && life?.phase === 'serving' && life.upAtMs !== undefined;
  }

  get phase(): string {
    return this.#control?.life.phase ?? 'down';
  }

  /** Until when, in true time, the last lease lasts that was not handed over. */
  get leaseUntilMs(): number {
    return this.#leaseUntilMs;
  }

  #noteLease(): void {
    const { id, clock, world, checks } = this.#parts;
    const record = this.#host?.lastTenureRecord?.record;
    const isClosed = record?.kind === 'handover' && record.holder === id;
    const leftMs = (this.#host?.leaseEndMs ?? 0) - clock.nowMs();
    // Neither stepping down nor a crash takes back what the voters promised.
    if (isClosed) this.#leaseUntilMs = 0;
    else if (leftMs > 0) this.#leaseUntilMs = world.nowMs + clock.trueMs(leftMs);
    checks.leased(id, this.#leaseUntilMs, world.nowMs);
  }

  get isLeading(): boolean {
    return this.#host?.standing.role === 'leader';
  }

  get appliedIndex(): number {
    return this.#files?.appliedIndex ?? 0;
  }

  start(): void {
    const { id, membership, disk, clock, checks, chance, world, electionTicks } = this.#parts;
    const image = disk.recover();
    this.#life += 1;
    checks.restarted(id, image.base.index);
    const life = this.#life;
    const files = new SimFiles(this.#parts, (act) => {
      if (life === this.#life) this.#run('files', act);
    });
    const host = new RaftHost(
      {
        id,
        leaseMs: this.#parts.leaseMs,
        ticksPerLease: TICKS_PER_LEASE,
        core: { ...CORE, electionTicks, electionJitterTicks: electionTicks / 2 },
      },
      {
        hardState: image.hardState,
        membership,
        applied: image.base.index,
        configs: image.log.slice(0, image.count).filter(({ kind }) => kind === 'config'),
        longestPromiseMs: image.promiseMs,
        tenureRecords: recordsOf(image),
        isMuted: image.isMuted,
      },
      {
        storage: this.#checkedStorage(),
        readTenure,
        random: (below) => chance.below(below),
        send: (message) => this.#send(message),
        nowMs: () => clock.nowMs(),
        events: this.#events(files),
      },
    );
    this.#host = host;
    this.#files = files;
    this.#control = this.#makeControl(host, files);
    files.begin(host, () => this.#control?.evaluate());
    world.after(this.#tickDelayMs(), () => this.#tick(this.#life));
    this.#parts.trace(`${id} starts at term ${image.hardState.term}`);
  }

  /** SIGKILL of the daemon: the guardian notices, the machine lives on. */
  killDaemon(): void {
    if (!this.isUp) return;
    this.#stopDaemon();
    this.guardian.daemonGone();
  }

  /** Everything of the machine ends at once. */
  powerOff(): void {
    if (!this.isUp) return;
    this.#stopDaemon();
    this.guardian.kill();
  }

  /** Everything of the machine ends at once, and its disk is damaged. */
  damage(): void {
    this.powerOff();
    this.#parts.trace(`${this.id} is damaged`);
    this.#parts.disk.damage();
  }

  /** SIGSTOP of the daemon; what arrives waits. */
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

  receive(message: PeerMessage): void {
    this.#run('network', () => {
      const wasLeading = this.isLeading;
      this.#host?.receive([message]);
      // For who follows, a message alone is nothing to decide upon.
      if (!wasLeading && !this.isLeading) return;
      this.#noteLease();
      this.#control?.evaluate();
    });
  }

  propose(text: string): boolean {
    if (this.#host === undefined || this.#isPaused) return false;
    const result = this.#host.propose([Buffer.from(text)]);
    this.#control?.evaluate();
    return result.kind === 'accepted';
  }

  /** Asks where a read may begin; hears nothing when the process ends before it is told. */
  readIndex(hear: (index: number | undefined) => void): void {
    if (!this.#isPaused) this.#host?.readIndex(hear);
  }

  #stopDaemon(): void {
    this.#parts.trace(`${this.id} goes down`);
    this.#life += 1;
    this.#isPaused = false;
    this.#waiting.clear();
    this.#parts.disk.crash();
    this.#host = undefined;
    this.#control = undefined;
    this.#files = undefined;
    this.switchover = undefined;
  }

  /** Runs now, or when the paused daemon goes on. */
  #run(queue: WaitingQueue, act: () => void): void {
    const life = this.#life;
    if (!this.#isPaused) {
      act();
      return;
    }
    const acts = this.#waiting.get(queue) ?? [];
    this.#waiting.set(queue, acts);
    acts.push(() => {
      if (life === this.#life) act();
    });
  }

  #tick(life: number): void {
    if (life !== this.#life) return;
    this.#run('timer', () => {
      this.#host?.advance();
      this.#control?.evaluate();
      this.#noteLease();
      this.#parts.world.after(this.#tickDelayMs(), () => this.#tick(life));
    });
  }

  /** About a tick, now and then late: an event loop is not punctual. */
  #tickDelayMs(): number {
    const { clock, leaseMs, chance } = this.#parts;
    const tickMs = clock.trueMs(leaseMs / TICKS_PER_LEASE);
    const isLate = !this.isPunctual && chance.happens(0.01);
    return isLate ? tickMs + chance.around(tickMs * 4) : tickMs;
  }

  #send(message: PeerMessage): void {
    this.#parts.checks.sent(message, this.#host?.copySet ?? []);
    this.#parts.send(message);
  }

  #checkedStorage(): LogStorage {
    const { id, disk, checks } = this.#parts;
    return new CheckedStorage(disk, (batch, done) => {
      const first = batch.entries[0];
      const before = first === undefined ? undefined : this.#host?.termAt(first.index - 1);
      checks.stored(id, batch.entries, before);
      const life = this.#life;
      disk.append(batch, () => this.#run('disk', () => life === this.#life && done()));
    });
  }

  #events(files: SimFiles): HostEvents {
    const { id, checks, trace } = this.#parts;
    return {
      onStanding: (standing) => {
        trace(`${id} ${standing.role} of ${standing.leader || 'nobody'} in term ${standing.term}`);
        checks.standing(id, standing, (index) => this.#host?.termAt(index));
        this.#parts.onStanding(standing);
      },
      onApply: (work) => {
        const { term, role } = this.#host?.status ?? {};
        const last = work.entries.at(-1);
        const isOwn = role === 'leader' && last?.term === term;
        if (last !== undefined && isOwn) checks.committed(last, this.#host?.copySet ?? []);
        files.apply(work);
      },
      onMembership: () => undefined,
      onStateNeeded: (mark) => {
        // Only a witness ever needs one here, and it has no data to fetch.
        files.appliedIndex = mark.index;
        checks.restarted(id, mark.index);
        this.#host?.installState(mark, undefined);
      },
      onSpace: () => undefined,
      onMuted: (isMuted) => {
        trace(isMuted ? `${id} is muted` : `${id} is whole again`);
        this.#parts.disk.setMuted(isMuted);
      },
      onStorageFailed: () => undefined,
    };
  }

  #makeControl(host: RaftHost, files: SimFiles): PrimaryControl {
    const { id, membership, clock, trace } = this.#parts;
    const others = dataVotersOf(membership).filter((other) => other !== id);
    const settings = {
      self: id,
      ending: ENDING,
      startDeadlineMs: 2000,
      restartsMax: 2,
      restartsWithinMs: 10_000,
    };
    return new PrimaryControl(settings, {
      host,
      guardian: this.guardian,
      files,
      nowMs: () => clock.nowMs(),
      surroundings: () => ({
        canServe: true,
        obstacle: undefined,
        probes: this.guardian.facts(0).service === 'running' ? 'passing' : 'unknown',
        candidates: others.map((other) => this.#candidate(other)),
        switchover: this.switchover,
        isShuttingDown: false,
        illness: host.isStorageStalled ? 'the disk stalls' : undefined,
      }),
      encodeRecord: (record) => Buffer.from(RECORD + JSON.stringify(record)),
      onLife: (before, after) => {
        trace(`${id} ${before.phase} -> ${after.phase} (term ${host.standing.term})`);
        if (after.phase === 'secondary' || after.phase === 'elected') this.switchover = undefined;
      },
    });
  }

  #candidate(id: string): { id: string; isReady: boolean } {
    const progress = this.#host?.progress().find((member) => member.id === id);
    return { id, isReady: progress?.isActive === true && progress.state === 'replicate' };
  }
}

function recordsOf(image: DiskImage): PlacedTenureRecord[] {
  return image.log.slice(0, image.count).flatMap((entry) => {
    const record = entry.kind === 'command' ? readTenure(entry) : undefined;
    return record === undefined ? [] : [{ index: entry.index, record }];
  });
}
