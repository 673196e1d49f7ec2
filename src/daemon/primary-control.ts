/**
 * Connects what a node knows with `decide`, and its orders with those who carry
 * them out: the Raft host, the guardian and capture.
 *
 * `evaluate()` is cheap and is called after every event and every tick.
 */

import type { RaftHost } from '../consensus/host/raft-host.ts';
import type { TenureRecord } from '../consensus/host/tenure-records.ts';
import { decide } from '../service/decide/decide.ts';
import { type Life, type Orders, SECONDARY, type ServiceOrder } from '../service/decide/life.ts';
import type {
  Candidate,
  DecideSettings,
  GuardianFacts,
  LastRecord,
  Situation,
} from '../service/decide/situation.ts';
import {
  type Deadlines,
  deadlinesOf,
  type EndingTimes,
  fenceLeadMs,
} from '../service/tenure/deadlines.ts';

/** The guardian as the daemon talks to it. Calls return at once; facts follow. */
export interface GuardianPort {
  /** What it last reported about the tenure of `epoch`; undefined without a guardian. */
  facts(epoch: number): GuardianFacts | undefined;
  /** Hold the addresses and run the service until the deadlines; repeat to renew. */
  serve(epoch: number, deadlines: Deadlines): void;
  /** Start the service anew, within the same tenure. */
  restart(epoch: number, deadlines: Deadlines): void;
  /** Drop the addresses and stop the service in its own time; repeat to renew. */
  stop(epoch: number, deadlines: Deadlines): void;
  /** Drop everything now. */
  fence(epoch: number): void;
}

/** Capture and the files, as far as decisions need them. */
export interface FilesPort {
  readonly capture: Situation['capture'];
  /** Every committed entry up to `index` is applied to the files, and nothing is missing. */
  isCaughtUp(index: number): boolean;
  arm(): void;
  disarm(): void;
  /** Commits everything that a stopped service left; `isFlushed` tells when. */
  flush(): void;
  readonly isFlushed: boolean;
}

/** Facts about this node and its surroundings that others gather. */
export interface Surroundings {
  readonly canServe: boolean;
  readonly obstacle: string | undefined;
  readonly probes: Situation['probes'];
  readonly candidates: readonly Candidate[];
  readonly switchover: Situation['switchover'];
  readonly isShuttingDown: boolean;
  readonly illness: string | undefined;
}

export interface ControlPorts {
  readonly host: RaftHost;
  readonly guardian: GuardianPort;
  readonly files: FilesPort;
  nowMs(): number;
  surroundings(): Surroundings;
  encodeRecord(record: TenureRecord): Uint8Array;
  /** The life changed from one phase to another. */
  onLife(before: Life, after: Life): void;
}

export interface ControlSettings extends Omit<DecideSettings, 'leaseMs' | 'fenceLeadMs'> {
  readonly self: string;
  readonly ending: EndingTimes;
}

/** Moves of the life in one evaluation; more would mean that decisions go in circles. */
const MOVES_MAX = 12;

/** Deadlines that move by less are not worth a message. */
const RENEWAL_MS_MIN = 10;

/** Someone who does not let go is told again after so long. */
const FENCE_AGAIN_MS = 1000;

export class PrimaryControl {
  readonly #settings: ControlSettings;
  readonly #ports: ControlPorts;
  #life: Life = SECONDARY;
  #waitsFor: string | undefined;
  #electedAt = { term: 0, index: 0 };
  #isEvaluating = false;
  /** What the guardian was last told, so that only news is sent. */
  #told = { order: 'none' as ServiceOrder, epoch: 0, deadByMs: 0, atMs: 0 };

  constructor(settings: ControlSettings, ports: ControlPorts) {
    this.#settings = settings;
    this.#ports = ports;
  }

  get life(): Life {
    return this.#life;
  }

  /** What the next step waits for, in words. */
  get waitsFor(): string | undefined {
    return this.#waitsFor;
  }

  /** Decides and acts until nothing more is to be done for now. */
  evaluate(): void {
    // Carrying out an order may change a fact, whose owner calls back in here.
    if (this.#isEvaluating) return;
    this.#isEvaluating = true;
    try {
      for (let move = 0; move < MOVES_MAX && this.#move(); move += 1);
    } finally {
      this.#isEvaluating = false;
    }
  }

  #move(): boolean {
    const before = this.#life;
    if (before.phase === 'secondary' && this.#isIdle()) return false;
    const { life, orders, waitsFor } = decide(before, this.#situation(), this.#decideSettings());
    this.#life = life;
    this.#waitsFor = waitsFor;
    this.#carryOut(orders);
    if (before.phase === life.phase) return false;
    this.#ports.onLife(before, life);
    return true;
  }

  #decideSettings(): DecideSettings {
    const { startDeadlineMs, restartsMax, restartsWithinMs, ending } = this.#settings;
    const { leaseMs } = this.#ports.host;
    const leadMs = fenceLeadMs(ending);
    return { leaseMs, fenceLeadMs: leadMs, startDeadlineMs, restartsMax, restartsWithinMs };
  }

  // Field by field: this runs after every message, and copying whole objects would show.
  #situation(): Situation {
    const { host, guardian, files } = this.#ports;
    const { role, term, ledByTransfer } = host.standing;
    const around = this.#ports.surroundings();
    return {
      nowMs: this.#ports.nowMs(),
      self: this.#settings.self,
      isLeader: role === 'leader',
      term,
      ledByTransfer,
      isCaughtUp: this.#isCaughtUp(),
      canServe: around.canServe,
      obstacle: around.obstacle,
      leaseEndMs: host.leaseEndMs,
      lastRecord: this.#lastRecord(),
      commitIndex: host.status.commit,
      capture: files.capture,
      isFlushed: files.isFlushed,
      guardian: guardian.facts(this.#epoch()),
      probes: around.probes,
      candidates: around.candidates,
      transferTarget: host.transferTarget,
      switchover: around.switchover,
      isShuttingDown: around.isShuttingDown,
      illness: around.illness,
    };
  }

  #lastRecord(): LastRecord | undefined {
    const placed = this.#ports.host.lastTenureRecord;
    if (placed === undefined) return undefined;
    const { index, record } = placed;
    const { kind, term, holder } = record;
    return { index, kind, term, holder, to: record.kind === 'handover' ? record.to : undefined };
  }

  /** The entries up to the first own-term commit are what the service must find (rule 9). */
  #isCaughtUp(): boolean {
    const { host, files } = this.#ports;
    if (host.standing.role !== 'leader' || !host.hasCommittedOwnTerm) return false;
    const { term, commit } = host.status;
    if (this.#electedAt.term !== term) this.#electedAt = { term, index: commit };
    return files.isCaughtUp(this.#electedAt.index);
  }

  #carryOut(orders: Orders): void {
    const { host, files } = this.#ports;
    if (orders.capture === 'on' && files.capture === 'off') files.arm();
    if (orders.capture === 'off' && files.capture !== 'off') files.disarm();
    this.#order(orders.service);
    if (orders.propose !== undefined) this.#propose(orders.propose);
    if (orders.flush) files.flush();
    if (orders.transfer !== undefined) {
      host.transfer(orders.transfer.to, orders.transfer.handover);
    }
    if (orders.resign) host.resign();
  }

  #order(order: ServiceOrder): void {
    const { host, guardian } = this.#ports;
    const epoch = this.#epoch();
    if (order === 'none') {
      this.#told.order = 'none';
      host.setServiceHeld(this.#isHeld(epoch));
      return;
    }
    const deadlines = deadlinesOf(host.leaseEndMs, this.#settings.ending);
    if (!this.#isNews(order, epoch, deadlines.deadByMs)) return;
    this.#told = { order, epoch, deadByMs: deadlines.deadByMs, atMs: this.#ports.nowMs() };
    // From here on the guardian may hold something: no vote until it says otherwise.
    host.setServiceHeld(true);
    if (order === 'fence') guardian.fence(epoch);
    else guardian[order](epoch, deadlines);
  }

  #isNews(order: ServiceOrder, epoch: number, deadByMs: number): boolean {
    const told = this.#told;
    if (order === 'restart' || order !== told.order || epoch !== told.epoch) return true;
    if (order === 'fence') return this.#ports.nowMs() - told.atMs > FENCE_AGAIN_MS;
    return deadByMs - told.deadByMs > RENEWAL_MS_MIN;
  }

  /** Neither leads nor holds anything: the usual state of a secondary, cheap to see. */
  #isIdle(): boolean {
    const { host, files } = this.#ports;
    if (host.standing.role === 'leader' || this.#isHeld(this.#epoch())) return false;
    if (files.capture !== 'off') return false;
    this.#waitsFor = undefined;
    host.setServiceHeld(false);
    return true;
  }

  #isHeld(epoch: number): boolean {
    const facts = this.#ports.guardian.facts(epoch);
    return facts !== undefined && (facts.service !== 'stopped' || facts.isAddressHeld);
  }

  #propose(wanted: NonNullable<Orders['propose']>): void {
    const { host } = this.#ports;
    const { term } = host.standing;
    const holder = this.#settings.self;
    const record: TenureRecord = { ...wanted, term, holder };
    host.propose([this.#ports.encodeRecord(record)]);
  }

  /** The term that the present life rests on. */
  #epoch(): number {
    return this.#life.phase === 'secondary' ? this.#ports.host.standing.term : this.#life.term;
  }
}
