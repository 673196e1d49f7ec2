/**
 * A simulated machine: a disk, a clock, a guardian with its service, and the daemon that
 * runs on it now and then (process.ts).
 */

import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import type { MessageType } from '../../src/consensus/core/messages.ts';
import type { PlacedMembership } from '../../src/consensus/core/types.ts';
import type { HostOptions, PeerMessage, Standing } from '../../src/consensus/host/ports.ts';
import type { RaftHost } from '../../src/consensus/host/raft-host.ts';
import type { Checks } from './checks/checks.ts';
import type { SimClock } from './clock.ts';
import type { Counts } from './counts.ts';
import { type FilesState, NO_FILES } from './files.ts';
import { SimGuardian } from './guardian.ts';
import { SimProcess } from './process.ts';
import type { Chance } from './random.ts';
import { CanNotOpen, type MemberStorage, VotesLost } from './storage/member-storage.ts';
import type { World } from './world.ts';

export interface MemberSettings extends Pick<HostOptions, 'leaseMs' | 'ticksPerLease' | 'core'> {
  /** Share of ticks that come late, and then several at once. */
  readonly lateTickRate: number;
  readonly saveEvery: number;
}

export interface MemberParts {
  readonly id: string;
  readonly world: World;
  readonly clock: SimClock;
  readonly storage: MemberStorage;
  readonly chance: Chance;
  readonly checks: Checks;
  readonly counts: Counts;
  readonly settings: MemberSettings;
  send(message: PeerMessage): void;
  trace(text: () => string): void;
  /** Somebody was elected: what everybody's lease is by now must be known. */
  beforeElection(): void;
  onStanding(member: SimMember, standing: Standing): void;
  /** Another configuration came into effect at `member`. */
  onMembership(member: SimMember): void;
  /** Whose files `id` may fetch from `leader`; undefined while it can not be reached. */
  sourceFor(id: string, leader: string): SimProcess | undefined;
}

/** What a leader tells its members, and nobody else. */
const OF_LEADERS: ReadonlySet<MessageType> = new Set(['append', 'heartbeat', 'snapshot']);
/** A daemon whose storage failed is started again after so long. */
const RESTART_MS_MEAN = 800;

export class SimMember {
  readonly #parts: MemberParts;
  readonly guardian: SimGuardian;
  #process: SimProcess | undefined;
  #life = 0;
  #disks = 1;
  #leaseUntilMs = 0;
  /** Term whose tenure was handed over here, and not taken again since. */
  #closedIn = 0;
  /** The machine has a new disk, and no configuration names it yet. */
  #isBlank = false;
  /** The files as they survive a crash. */
  saved: FilesState = NO_FILES;
  switchover: { readonly to: string | undefined } | undefined;
  isPunctual = false;
  /** How often something was lost on the disk. */
  damages = 0;

  constructor(parts: MemberParts, isBlank: boolean) {
    this.#parts = parts;
    this.#isBlank = isBlank;
    const { id, world, clock, chance, checks } = parts;
    this.guardian = new SimGuardian({
      world,
      clock,
      chance: chance.fork(),
      events: {
        onHeld: (isHeld) => checks.held(id, isHeld),
        onReport: () => this.#process?.run('guardian', () => this.#process?.evaluate()),
      },
    });
  }

  get id(): string {
    return this.#parts.id;
  }

  /** Of the disk that the machine has now. */
  get incarnation(): string {
    return incarnationOf(this.id, this.#disks);
  }

  get isBlank(): boolean {
    return this.#isBlank;
  }

  get storage(): MemberStorage {
    return this.#parts.storage;
  }

  get process(): SimProcess | undefined {
    return this.#process;
  }

  get host(): RaftHost | undefined {
    return this.#process?.host;
  }

  /** Number of the process that runs, or ran. */
  get life(): number {
    return this.#life;
  }

  get isUp(): boolean {
    return this.#process !== undefined;
  }

  get isPaused(): boolean {
    return this.#process?.isPaused === true;
  }

  get isLeading(): boolean {
    return this.#process?.isLeading === true;
  }

  get isServing(): boolean {
    return this.#process?.isServing === true;
  }

  get phase(): string {
    return this.#process?.phase ?? 'down';
  }

  get appliedIndex(): number {
    return this.#process?.appliedIndex ?? 0;
  }

  /** Until when, in true time, the last lease lasts that was not handed over. */
  get leaseUntilMs(): number {
    return this.#leaseUntilMs;
  }

  /** Until when, in true time, this member votes for nobody; who is down is silent when it is back. */
  get silentUntilMs(): number {
    const { host } = this;
    const { clock, world } = this.#parts;
    if (host === undefined || host.isMuted || this.#isBlank) return Number.POSITIVE_INFINITY;
    return world.nowMs + clock.trueMs(host.silentUntilMs - clock.nowMs());
  }

  noteLease(): void {
    const { id, clock, world, checks, counts } = this.#parts;
    const { host } = this;
    if (host === undefined || (this.#leaseUntilMs === 0 && !this.isLeading)) return;
    const isClosed = this.#isHandedOver(host);
    const leftMs = host.leaseEndMs - clock.nowMs();
    const before = this.#leaseUntilMs;
    // Neither stepping down nor a crash takes back what the voters promised.
    if (isClosed) this.#leaseUntilMs = 0;
    else if (leftMs > 0) this.#leaseUntilMs = world.nowMs + clock.trueMs(leftMs);
    else if (before > 0 && before <= world.nowMs) {
      counts.add('lease expired');
      this.#leaseUntilMs = 0;
    }
    if (this.#leaseUntilMs === before) return;
    checks.leased(id, host.membership, this.#leaseUntilMs, world.nowMs);
  }

  /** Who handed over serves again only by a newer record that is committed (safety rule 1). */
  #isHandedOver({ lastTenureRecord: placed, standing, status }: RaftHost): boolean {
    if (placed === undefined) return false;
    const { index, record } = placed;
    if (record.kind === 'handover' && record.holder === this.id) {
      this.#closedIn = record.term;
      return true;
    }
    if (standing.term === this.#closedIn && index > status.commit) return true;
    this.#closedIn = 0;
    return false;
  }

  start(): void {
    if (this.isUp) return;
    const { id, checks, counts, storage, trace } = this.#parts;
    try {
      const recovered = storage.open();
      checks.recovered(id, recovered, storage, this.saved.position.index);
      this.#life += 1;
      this.#process = new SimProcess(this, this.#parts, this.#mended(recovered));
      const { hardState, damage = '', isMuted } = recovered;
      if (isMuted) counts.add('muted');
      trace(() => `${id} starts at term ${hardState.term} ${damage}`);
    } catch (error) {
      if (error instanceof VotesLost) {
        trace(() => `${id} does not know how it voted`);
        this.wipe();
      } else if (error instanceof CanNotOpen) this.#startLater();
      else throw error;
    }
  }

  /** A log that does not hold what is applied begins there (see daemon/log-start.ts). */
  #mended(recovered: ReturnType<MemberStorage['open']>): ReturnType<MemberStorage['open']> {
    const { storage } = this.#parts;
    const { position } = this.saved;
    if (storage.termAt(position.index) === position.term) return recovered;
    if (recovered.hardState.term < position.term) throw new VotesLost();
    storage.setMuted(true);
    storage.begin(position, recovered.placed);
    return { ...recovered, configs: [], tagged: [], isMuted: true };
  }

  /** SIGKILL of the daemon: the guardian notices, the machine lives on. */
  killDaemon(): void {
    if (!this.isUp) return;
    this.#stopDaemon(false);
    this.guardian.daemonGone();
  }

  /** Everything of the machine ends at once. */
  powerOff(): void {
    if (!this.isUp) return;
    this.#stopDaemon(true);
    this.guardian.kill();
  }

  /** Everything of the machine ends at once, and its disk is damaged. */
  damage(): void {
    this.powerOff();
    this.damages += 1;
    this.#parts.trace(() => `${this.id} is damaged`);
    this.#parts.storage.damage();
  }

  /** The machine ends and comes back with an empty disk, under the same name. */
  wipe(): void {
    this.powerOff();
    this.#disks += 1;
    this.#isBlank = true;
    this.saved = NO_FILES;
    this.#parts.trace(() => `${this.id} is empty: ${this.incarnation} now`);
    this.#parts.checks.wiped(this.id);
    this.#parts.storage.wipe(NOTHING_KNOWN);
  }

  /** A configuration names this disk: its daemon starts, knowing of it. */
  join(placed: PlacedMembership): void {
    this.powerOff();
    this.#isBlank = false;
    this.#parts.storage.introduce(placed);
    this.start();
  }

  /** The daemon ends because its storage did, and is started again. */
  storageFailed(): void {
    this.#parts.counts.add('storage failed');
    this.killDaemon();
    this.#startLater();
  }

  #startLater(): void {
    const { world, chance } = this.#parts;
    world.after(chance.around(RESTART_MS_MEAN), () => this.start());
  }

  pause(): void {
    this.#process?.pause();
  }

  resume(): void {
    this.#process?.resume();
  }

  receive(message: PeerMessage): void {
    // Who belongs to nobody yet is introduced first: until then no leader reaches it.
    const isToJoin = this.#isBlank && OF_LEADERS.has(message.message.type);
    if (isToJoin && message.toIncarnation === this.incarnation) return;
    this.#process?.receive(message);
  }

  /** The connection to `id` is gone. */
  unreachable(id: string): void {
    this.#process?.run('network', () => this.host?.reportUnreachable(id));
  }

  propose(...texts: readonly string[]): boolean {
    return this.#process?.propose(texts.map((text) => Buffer.from(text))) === true;
  }

  #stopDaemon(isPowerLost: boolean): void {
    this.#parts.trace(() => `${this.id} goes down`);
    this.#life += 1;
    this.#process?.end();
    this.#process = undefined;
    this.#parts.storage.crash(isPowerLost);
    this.switchover = undefined;
  }
}

export function incarnationOf(id: string, disk: number): string {
  return `${id}${disk}`;
}

/** What a storage knows that belongs to no group. */
export const NOTHING_KNOWN: PlacedMembership = { index: 0, membership: membershipOf({}) };
