/**
 * A member of a founded cluster: log, files, decisions and guardian, connected.
 *
 * Everything here runs on one event loop and calls `evaluate` after each event; the
 * work that takes time is in the threads of the journal and of replication.
 */

import type { Config } from '../config/config.ts';
import { ELECTION_JITTER_TICKS } from '../config/timings.ts';
import type { ApplyWork } from '../consensus/core/ready.ts';
import type { Membership, PlacedMembership } from '../consensus/core/types.ts';
import type { HostEvents, PeerMessage, Standing } from '../consensus/host/ports.ts';
import { RaftHost } from '../consensus/host/raft-host.ts';
import type { Journal } from '../journal/journal.ts';
import type { Logger } from '../platform/log.ts';
import { encodeDecree } from '../replication/command/codec.ts';
import type { Decree } from '../replication/command/decree.ts';
import type { Position, TenureMark } from '../replication/committed-state.ts';
import type { ReplicationEvent } from '../replication/parts.ts';
import type { Life } from '../service/decide/life.ts';
import { Applying } from './applying.ts';
import { briefOf } from './brief.ts';
import { isCopyAwaited } from './copies.ts';
import { FilesGate } from './files-gate.ts';
import { Fitness } from './fitness.ts';
import { HistoryRecorder } from './history-recorder.ts';
import { LagMeter } from './lag-meter.ts';
import { LeadDuties, neededFrom } from './lead-duties.ts';
import { LogFollow } from './log-follow.ts';
import { hostStart, readTenure } from './log-start.ts';
import { electionJitter } from './members/election-jitter.ts';
import type { Roster, RosterMember } from './members/roster.ts';
import type { Brief, PeerWatch } from './peer-watch.ts';
import { type GuardianPort, PrimaryControl } from './primary-control.ts';
import { type ProbesPort, Probing } from './probing.ts';
import { Proposals } from './proposals.ts';
import { hostOptions } from './raft-settings.ts';
import type { Replication } from './replication-port.ts';

export interface MemberParts {
  readonly config: Config;
  readonly roster: Roster;
  readonly log: Logger;
  readonly journal: Journal;
  readonly replication: Replication;
  readonly guardian: GuardianPort;
  readonly probes: ProbesPort;
  readonly peers: PeerWatch;
  readonly membership: Membership;
  /** Of this node's data directory. */
  readonly incarnation: string;
  /** The journal may lack what this node acknowledged: no vote before it is whole. */
  readonly isMuted: boolean;
  send(message: PeerMessage): void;
  nowMs(): number;
  wallMs(): number;
  random(below: number): number;
  /** Something that people and dashboards want to know. */
  onEvent(event: MemberEvent): void;
  onFailed(error: Error): void;
}

export type MemberEvent =
  | { readonly kind: 'standing'; readonly standing: Standing }
  | { readonly kind: 'life'; readonly before: Life; readonly after: Life }
  | { readonly kind: 'serving'; readonly epoch: number }
  | { readonly kind: 'decree'; readonly index: number; readonly decree: Decree }
  | { readonly kind: 'space'; readonly hasSpace: boolean }
  | { readonly kind: 'muted'; readonly isMuted: boolean }
  | { readonly kind: 'committed'; readonly ms: number }
  | {
      readonly kind: 'members';
      readonly before: readonly RosterMember[];
      readonly after: readonly RosterMember[];
    };

const HOUSEKEEPING_MS = 2000;

export class Member {
  readonly #parts: MemberParts;
  readonly #self: string;
  readonly #host: RaftHost;
  readonly #control: PrimaryControl;
  readonly #applying: Applying;
  readonly #history: HistoryRecorder;
  readonly #follow: LogFollow;
  readonly #duties: LeadDuties;
  readonly #probing: Probing;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly files: FilesGate;
  readonly fitness: Fitness;
  readonly proposals: Proposals;
  readonly lags = new LagMeter();
  #switchover: { readonly to: string; readonly untilMs: number } | undefined;
  hasSpace = true;
  #isShuttingDown = false;
  #isBarred = false;
  #isClosed = false;
  #recordedEpoch = 0;

  constructor(parts: MemberParts) {
    const { config, journal, replication } = parts;
    this.#parts = parts;
    this.#self = config.node.id;
    const { state } = replication.status;
    const options = hostOptions(config, parts.incarnation, state.leaseMs ?? config.timing.leaseMs);
    // A copy counts only with all that lies below its log (rule 14).
    const hasAllData = (id: string): boolean => parts.peers.findFresh(id)?.missing === 0;
    this.#host = new RaftHost(
      { ...options, core: { ...options.core, hasAllData } },
      hostStart(journal, state, parts),
      {
        storage: journal,
        events: this.#hostEvents(),
        readTenure,
        random: (below) => parts.random(below),
        send: (message) => parts.send(message),
        nowMs: () => parts.nowMs(),
      },
    );
    this.#applying = new Applying((work) => this.#host.applied(work));
    this.#history = new HistoryRecorder(this.#self, parts.nowMs());
    this.#follow = new LogFollow(this.#host, replication);
    this.proposals = this.#makeProposals();
    this.#duties = new LeadDuties({ ...parts, host: this.#host, proposals: this.proposals });
    this.files = this.#makeFiles();
    this.fitness = new Fitness({
      ...parts,
      host: this.#host,
      facts: () => ({
        hasSpace: this.hasSpace,
        isMuted: this.isMuted,
        isBarred: this.#isBarred,
        isShuttingDown: this.#isShuttingDown,
        isGuardianLost: parts.guardian.facts(this.#epoch)?.isLost === true,
      }),
    });
    this.#probing = new Probing(parts.probes, parts.guardian);
    this.#control = this.#makeControl();
    this.#startTimers();
  }

  /** Begins with the members that the log knows: from here on the others are spoken to. */
  open(): void {
    this.#adopt(this.#host.membership);
  }

  get host(): RaftHost {
    return this.#host;
  }

  /** The journal may lack what this node acknowledged, and so it does not vote. */
  get isMuted(): boolean {
    return this.#host.isMuted;
  }

  get life(): Life {
    return this.#control.life;
  }

  get waitsFor(): string | undefined {
    return this.#control.waitsFor;
  }

  /** The service is up here, within a valid tenure. */
  get serves(): boolean {
    const { life } = this.#control;
    const isUp = life.phase === 'serving' && life.upAtMs !== undefined;
    return isUp && this.#host.leaseEndMs > this.#parts.nowMs();
  }

  /** Nothing is held here, nothing is on its way to be, and nobody waits for this copy. */
  get isAtRest(): boolean {
    const { phase } = this.life;
    if (this.#isServiceHeld() || (phase !== 'secondary' && phase !== 'elected')) return false;
    const { peers } = this.#parts;
    return !isCopyAwaited(this.#self, this.#host.copySet, (id) => peers.findFresh(id));
  }

  get brief(): Brief {
    const { replication, journal, incarnation } = this.#parts;
    const isBarred = this.#isBarred;
    return briefOf(this, { node: this.#self, incarnation, isBarred, replication, journal });
  }

  /** A planned move that was asked for and has not come about yet. */
  get isSwitchingOver(): boolean {
    return this.#switchover !== undefined;
  }

  /** Hands the place to `to`, unless that can not be begun within a lease. */
  switchOver(to: string): void {
    const untilMs = this.#parts.nowMs() + this.#host.leaseMs;
    this.#switchover = { to, untilMs };
    this.evaluate();
  }

  /** The data directory is an older state of itself: it has forgotten what it promised. */
  bar(): void {
    this.#isBarred = true;
    this.#host.bar();
  }

  /** The member from which the state is being fetched knows these members. */
  fetchingFrom(placed: PlacedMembership): void {
    this.#follow.fetchingFrom(placed);
  }

  receive(messages: readonly PeerMessage[]): void {
    if (this.#isClosed) return;
    const { leader } = this.#host.standing;
    if (messages.some(({ message }) => message.from === leader)) {
      this.#history.leaderSeen(this.#parts.nowMs());
    }
    this.#host.receive(messages);
    this.evaluate();
  }

  reportUnreachable(peer: string): void {
    if (!this.#isClosed) this.#host.reportUnreachable(peer);
  }

  /** Looks at everything that may have changed, and acts. */
  evaluate(): void {
    if (this.#isClosed) return;
    this.files.step();
    const { role, term } = this.#host.standing;
    if (role === 'leader') this.proposals.committedTo(this.#host.status.commit, term);
    this.#follow.step(!this.#isServiceHeld() && this.files.capture === 'off');
    this.#host.setEligible(this.fitness.mayLead);
    this.#duties.step();
    this.#forgetSwitchover();
    this.#probing.look(this.life);
    this.#control.evaluate();
    this.#recordHistory();
  }

  /** Gives its place away, if it has it; `isAtRest` tells when. */
  shutDown(): void {
    this.#host.setShrinksCopies(false);
    this.#isShuttingDown = true;
    this.evaluate();
  }

  /** Nothing more is decided or sent. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#probing.stop();
  }

  /** What replication says; see `ReplicationPort`. */
  get replicationEvents(): {
    propose(sequence: number, data: Buffer): void;
    onApplied(index: number): void;
    onDecree(index: number, decree: Decree): void;
    onEvent(event: ReplicationEvent): void;
    onStateFetched(position: Position, tenure: TenureMark | undefined): void;
  } {
    return {
      propose: (sequence, data) => this.proposals.batch(sequence, data),
      onApplied: (index) => this.#applied(index),
      onDecree: (index, decree) => this.#decreed(index, decree),
      onEvent: () => this.evaluate(),
      onStateFetched: (position, tenure) => {
        this.#follow.fetched(position, tenure);
        this.#applied(position.index);
      },
    };
  }

  #applied(index: number): void {
    this.files.appliedTo(index);
    this.#applying.appliedTo(index);
    this.proposals.retry();
    this.evaluate();
  }

  #decreed(index: number, decree: Decree): void {
    if (decree.kind === 'settings') this.#host.setLeaseMs(decree.leaseMs);
    if (decree.kind === 'floor')
      this.#host.compact(Math.min(decree.index, neededFrom(this.#parts.replication)));
    this.#parts.onEvent({ kind: 'decree', index, decree });
  }

  #isServiceHeld(): boolean {
    const facts = this.#parts.guardian.facts(this.#epoch);
    return facts !== undefined && (facts.service !== 'stopped' || facts.isAddressHeld);
  }

  /** The term that the present life rests on. */
  get #epoch(): number {
    const { life } = this.#control;
    return life.phase === 'secondary' ? this.#host.standing.term : life.term;
  }

  #startTimers(): void {
    const tick = (): void => {
      // What peers sent meanwhile is heard before the clock is looked at.
      setImmediate(() => {
        if (this.#isClosed) return;
        this.#host.advance();
        this.proposals.retry();
        this.evaluate();
      });
      this.#timers[0] = setTimeout(tick, this.#host.tickMs);
    };
    this.#timers.push(setTimeout(tick, this.#host.tickMs));
    const keepHouse = () => {
      if (this.serves) this.#duties.keepHouse();
    };
    this.#timers.push(setInterval(keepHouse, HOUSEKEEPING_MS));
  }

  #hostEvents(): HostEvents {
    const { onEvent, replication, onFailed } = this.#parts;
    return {
      onStanding: (standing) => {
        if (standing.role !== 'leader') this.proposals.leadLost();
        onEvent({ kind: 'standing', standing });
      },
      onApply: (work) => this.#apply(work),
      onMembership: (membership) => this.#adopt(membership),
      onStateNeeded: () => replication.needState(),
      onSpace: (hasSpace) => {
        this.hasSpace = hasSpace;
        onEvent({ kind: 'space', hasSpace });
        this.evaluate();
      },
      onMuted: (isMuted) => {
        void this.#parts.journal.setMuted(isMuted);
        onEvent({ kind: 'muted', isMuted });
      },
      onStorageFailed: (error) => onFailed(error),
    };
  }

  #adopt(membership: Membership): void {
    const { roster, onEvent } = this.#parts;
    const { members: before, isGroups } = roster;
    roster.adopt(membership);
    const { from, below } = electionJitter(roster, ELECTION_JITTER_TICKS);
    this.#host.setElectionJitter(from, below);
    if (isGroups) onEvent({ kind: 'members', before, after: roster.members });
    this.evaluate();
  }

  #apply(work: ApplyWork): void {
    const items = this.#applying.take(work, (entry) => this.proposals.committed(entry));
    this.#parts.replication.apply(items);
  }

  #makeProposals(): Proposals {
    const { nowMs, onEvent } = this.#parts;
    const host = this.#host;
    return new Proposals({
      propose: (data) => host.propose(data),
      get term() {
        return host.standing.term;
      },
      nowMs,
      onCommitted: (ms) => onEvent({ kind: 'committed', ms }),
      onAccepted: (index, bytes) => this.lags.note(index, bytes, nowMs()),
    });
  }

  #makeFiles(): FilesGate {
    const { replication, log } = this.#parts;
    return new FilesGate({
      replication,
      proposals: this.proposals,
      log,
      isServiceHeld: () => this.#isServiceHeld(),
      encodeBarrier: (id) => encodeDecree({ kind: 'barrier', id }),
      onChange: () => this.evaluate(),
    });
  }

  #makeControl(): PrimaryControl {
    const { config, nowMs } = this.#parts;
    const { startDeadlineMs, restarts } = config.service;
    const settings = {
      self: this.#self,
      ending: config.timing.ending,
      startDeadlineMs,
      restartsMax: restarts.max,
      restartsWithinMs: restarts.withinMs,
    };
    return new PrimaryControl(settings, {
      host: this.#host,
      guardian: this.#probing.guardian,
      files: this.files,
      nowMs,
      surroundings: () => this.#surroundings(),
      encodeRecord: (record) =>
        encodeDecree(record.kind === 'handover' ? { ...record, cause: this.#cause } : record),
      onLife: (before, after) => this.#moved(before, after),
    });
  }

  get #cause(): string {
    const { life } = this.#control;
    return 'cause' in life ? life.cause : 'handed over';
  }

  #recordHistory(): void {
    const { life } = this;
    if (life.phase !== 'serving' || life.upAtMs === undefined) return;
    if (this.#recordedEpoch === life.term) return;
    this.#recordedEpoch = life.term;
    const { nowMs, wallMs, onEvent } = this.#parts;
    const record = this.#history.record(life.term, nowMs(), wallMs());
    this.#duties.propose({ kind: 'history', record });
    onEvent({ kind: 'serving', epoch: life.term });
  }

  /** Nobody is moved long after he asked for it, when nobody expects it any more. */
  #forgetSwitchover(): void {
    const isWaiting = this.#switchover !== undefined && this.life.phase === 'serving';
    if (isWaiting && this.#parts.nowMs() > (this.#switchover?.untilMs ?? 0)) {
      this.#switchover = undefined;
    }
  }

  #surroundings(): ReturnType<ConstructorParameters<typeof PrimaryControl>[1]['surroundings']> {
    const { obstacle, candidates } = this.fitness;
    return {
      canServe: obstacle === undefined,
      obstacle,
      probes: this.#parts.probes.verdict,
      candidates,
      switchover: this.#switchover,
      isShuttingDown: this.#isShuttingDown,
      illness: this.fitness.illness,
    };
  }

  #moved(before: Life, after: Life): void {
    const { nowMs, onEvent } = this.#parts;
    this.#history.moved(before, after, nowMs(), this.#host.lastTenureRecord?.record);
    this.#probing.moved(after);
    if (after.phase === 'serving') this.files.forgetFlush();
    const isBack = ['secondary', 'elected', 'arming'].includes(after.phase);
    if (isBack) this.#switchover = undefined;
    onEvent({ kind: 'life', before, after });
  }
}
