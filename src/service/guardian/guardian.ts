/**
 * The guardian's core: holds the addresses and runs the service for as long as the
 * tenure lasts, and ends both at its times (safety rules 3, 7 and 8).
 *
 * It looks at the clocks every few milliseconds, and before it obeys any word: what
 * the clocks say is done first, so that orders which waited revive nothing. Each step
 * of an end is taken at its time whatever became of the step before: no step waits for
 * another, none starts a process, and one that throws is told and passed over.
 */

import { messageOf } from '../../errors.ts';
import type { AddressDriver } from '../address/address-driver.ts';
import type { ServiceDriver, ServiceEvents } from '../driver/service-driver.ts';
import type { EndingTimes } from '../tenure/deadlines.ts';
import { type ArmResult, gapMs, type Moment, TenureLatch } from '../tenure/latch.ts';
import type { GuardianReport, LogLevel, Order } from './words.ts';

/** Between two looks at the clocks. */
export const LOOK_MS = 20;

/**
 * Two looks further apart than this mean that the machine slept: four periods of the
 * longest period that safety rule 8 allows. The looks themselves come more often than
 * that, because on a machine with few and busy processors a timer is easily late by
 * some periods, and a fence for nothing costs an outage. What is lost by it is bounded:
 * a pause shorter than this can not hide from the deadlines by more than itself.
 */
export const GAP_MS_MAX = 200;

/** Ends the service at its time even when this thread hangs. */
export interface KillTimer {
  /** Undefined: nothing is to be killed. */
  arm(target: { readonly group: number; readonly atMs: number } | undefined): void;
}

export interface GuardianEvents {
  /** Something in the report changed. */
  onChange(): void;
  onLog(level: LogLevel, text: string): void;
  /** Everything that was held is gone. */
  onReleased(): void;
}

export interface GuardianParts {
  makeService(events: ServiceEvents): ServiceDriver;
  readonly addresses: readonly AddressDriver[];
  readonly ending: EndingTimes;
  readonly stopTimeoutMs: number;
  readonly killTimer: KillTimer;
  clock(): Moment;
  readonly events: GuardianEvents;
}

export class Guardian {
  readonly #parts: GuardianParts;
  readonly #service: ServiceDriver;
  readonly #latch = new TenureLatch(GAP_MS_MAX);
  /** The service was to be started in this tenure; only an order starts it again. */
  #wasStarted = false;
  /** It starts as soon as all addresses are held: it may bind them. */
  #isWaiting = false;
  /** Everything is to go; nothing is held or started until it is gone. */
  #isLettingGo = false;
  /** The service was asked to stop: its end is no crash. */
  #isAsked = false;
  #startsAgain = false;
  /** When the patience with a service that was asked to stop ends. */
  #patientUntilMs = Number.POSITIVE_INFINITY;
  #crashes = 0;
  /** What was wrong with the last order that armed nothing. */
  #refused: ArmResult | undefined;
  /** Steps that failed, with the reason that was told. */
  readonly #failing = new Map<string, string>();
  #lookedAt: Moment | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: GuardianParts) {
    this.#parts = parts;
    this.#service = parts.makeService({
      onChange: () => parts.events.onChange(),
      onEnded: (how) => this.#serviceEnded(how),
      onLine: (line) => parts.events.onLog('info', `service: ${line}`),
    });
  }

  /** Begins to look at the clocks. */
  start(): void {
    this.#timer ??= setInterval(() => this.look(), LOOK_MS);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const address of this.#parts.addresses) address.close();
  }

  get report(): GuardianReport {
    const { epoch, deadlines, isOver } = this.#latch;
    const { addresses } = this.#parts;
    const { pid, processes } = this.#service;
    return {
      epoch,
      deadlines,
      isOver,
      isServing: this.#wasStarted && !this.#isLettingGo,
      service: { state: this.#serviceState, pid, crashes: this.#crashes },
      processes,
      addresses: addresses.map(({ label, isHeld, problem }) => ({
        address: label,
        held: isHeld,
        problem,
      })),
      announcements: addresses.reduce((sum, { announcements }) => sum + announcements, 0),
    };
  }

  /** Whether the service or an address is held. */
  get isHolding(): boolean {
    return this.#service.state !== 'stopped' || this.#isAnyAddressHeld;
  }

  /**
   * Carries out a word of the daemon, after what the clocks say.
   *
   * @param saidAt when it was said: on one machine both read the same clocks
   */
  obey(order: Order, saidAt: Moment): void {
    this.look();
    switch (order.kind) {
      case 'serve':
      case 'restart':
        if (this.#arm(order, saidAt)) this.#serve(order.kind === 'restart');
        break;
      case 'stop':
        this.#arm(order, saidAt);
        this.#letGo(this.#parts.stopTimeoutMs);
        break;
      case 'fence':
        this.#end();
        break;
    }
    this.#setKillTimer();
  }

  /** The daemon is gone: the tenure ends with it. */
  daemonGone(): void {
    this.look();
    this.#end();
    this.#setKillTimer();
  }

  /** Looks at the clocks, and does what is to be done by now. */
  look(): void {
    const moment = this.#parts.clock();
    const sinceMs = gapMs(this.#lookedAt ?? moment, moment);
    this.#lookedAt = moment;
    const wasOver = this.#latch.isOver;
    const stage = this.#latch.look(moment);
    if (stage === 'fence') this.#letGo(this.#parts.ending.stopBudgetMs);
    if (stage === 'kill' || stage === 'dead') this.#letGo(0);
    if (!wasOver && this.#latch.isOver) this.#tellEnd(stage, sinceMs);
    const isTimeToKill =
      stage === 'kill' || stage === 'dead' || moment.bootMs >= this.#patientUntilMs;
    if (isTimeToKill && this.#service.state !== 'stopped') {
      this.#attempt('kill the service', () => this.#service.kill());
    }
    if (this.#isLettingGo && this.#isAnyAddressHeld) this.#drop();
    this.#attempt('look after the service', () => this.#service.look());
    this.#startIfAddressed();
    this.#settle();
  }

  get #serviceState(): GuardianReport['service']['state'] {
    const { state } = this.#service;
    if (this.#isWaiting) return 'starting';
    return state !== 'stopped' && this.#isAsked ? 'stopping' : state;
  }

  get #isAnyAddressHeld(): boolean {
    return this.#parts.addresses.some(({ isHeld }) => isHeld);
  }

  get #nowMs(): number {
    return this.#parts.clock().bootMs;
  }

  #serve(isRestart: boolean): void {
    if (this.#isLettingGo) return;
    this.#hold();
    if (this.#service.state === 'stopped') {
      if (isRestart || !this.#wasStarted) this.#startService();
    } else if (isRestart && !this.#isAsked) {
      // Whoever starts a service anew has given up on it: it gets the short time.
      this.#startsAgain = true;
      this.#limitPatience(this.#parts.ending.stopBudgetMs);
      this.#askToStop();
    }
  }

  #arm(order: Exclude<Order, { kind: 'fence' }>, saidAt: Moment): boolean {
    const { epoch, deadlines, kind } = order;
    const now = this.#parts.clock();
    // The machine may have slept since, and the lease may be another node's by now.
    const result =
      gapMs(saidAt, now) > GAP_MS_MAX ? 'late' : this.#latch.arm(epoch, deadlines, now.bootMs);
    if (result === 'armed') {
      this.#refused = undefined;
      return true;
    }
    if (this.#refused !== result) {
      this.#parts.events.onLog('warn', `an order to ${kind} in epoch ${epoch} is ${result}`);
    }
    this.#refused = result;
    return false;
  }

  /** The kernel's own end of an address comes no later than the fence. */
  #hold(): void {
    const untilMs = this.#latch.deadlines?.fenceAtMs;
    if (untilMs === undefined) return;
    for (const address of this.#parts.addresses) {
      this.#attempt(`hold ${address.label}`, () => address.hold(untilMs));
    }
  }

  #startService(): void {
    this.#wasStarted = true;
    this.#isWaiting = true;
    this.#startsAgain = false;
    this.#startIfAddressed();
  }

  #startIfAddressed(): void {
    if (!this.#isWaiting || !this.#parts.addresses.every(({ isHeld }) => isHeld)) return;
    this.#isWaiting = false;
    this.#attempt('start the service', () => this.#service.start(this.#latch.epoch));
  }

  #end(): void {
    this.#latch.end();
    this.#letGo(this.#parts.ending.stopBudgetMs);
  }

  /** Drops the addresses and asks the service to stop; said again, only the patience shrinks. */
  #letGo(patienceMs: number): void {
    this.#isLettingGo = true;
    this.#startsAgain = false;
    this.#isWaiting = false;
    // The kill is settled before anything that might hang is tried.
    this.#limitPatience(patienceMs);
    this.#drop();
    this.#askToStop();
    this.#settle();
  }

  #drop(): void {
    for (const address of this.#parts.addresses) {
      this.#attempt(`drop ${address.label}`, () => address.drop());
    }
  }

  #limitPatience(ms: number): void {
    if (this.#service.state === 'stopped') return;
    this.#patientUntilMs = Math.min(this.#patientUntilMs, this.#nowMs + ms);
    this.#setKillTimer();
  }

  #askToStop(): void {
    if (this.#service.state === 'stopped' || this.#isAsked) return;
    this.#isAsked = true;
    this.#attempt('ask the service to stop', () => this.#service.terminate());
    this.#parts.events.onChange();
  }

  #serviceEnded(how: string): void {
    const { events } = this.#parts;
    const wasAsked = this.#isAsked;
    this.#isAsked = false;
    this.#patientUntilMs = Number.POSITIVE_INFINITY;
    if (!wasAsked) this.#crashes += 1;
    const what = wasAsked ? 'ended as it was asked to' : 'ended unasked';
    events.onLog(wasAsked ? 'info' : 'warn', `the service ${what}, ${how}`);
    // Its lease may have run out while it ended: the clocks are asked before it starts.
    if (this.#startsAgain && !this.#isLettingGo) this.look();
    if (this.#startsAgain && this.#latch.deadlines !== undefined) this.#startService();
    this.#settle();
    events.onChange();
  }

  /** Everything is gone, if it is. */
  #settle(): void {
    if (!this.#isLettingGo || this.isHolding) {
      this.#setKillTimer();
      return;
    }
    this.#isLettingGo = false;
    this.#wasStarted = false;
    this.#latch.released();
    this.#setKillTimer();
    this.#parts.events.onChange();
    this.#parts.events.onReleased();
  }

  #setKillTimer(): void {
    const group = this.#service.processes[0]?.pid;
    const latchMs = this.#latch.deadlines?.killAtMs ?? Number.POSITIVE_INFINITY;
    const atMs = Math.min(latchMs, this.#patientUntilMs);
    const isNeeded = group !== undefined && Number.isFinite(atMs);
    this.#parts.killTimer.arm(isNeeded ? { group, atMs } : undefined);
  }

  #tellEnd(stage: string, sinceMs: number): void {
    const what = `the tenure of epoch ${this.#latch.epoch} is over: ${stage}`;
    const why = `${Math.round(sinceMs)} ms after the look before`;
    this.#parts.events.onLog('warn', `${what}, ${why}`);
    this.#parts.events.onChange();
  }

  /** A step that fails must not keep the next from being taken. */
  #attempt(what: string, act: () => void): void {
    try {
      act();
      this.#failing.delete(what);
    } catch (error) {
      const reason = messageOf(error);
      // It is tried again at every look; once is enough to be told.
      if (this.#failing.get(what) === reason) return;
      this.#failing.set(what, reason);
      this.#parts.events.onLog('error', `could not ${what}: ${reason}`);
    }
  }
}
