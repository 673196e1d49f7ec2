/**
 * A simulated guardian with its service: the real latch, simulated processes.
 *
 * It lives on when the daemon dies, hears it with delay, may be slow to look at
 * its clock, and its service may take its time or ignore being asked to stop. What
 * the kernel does by itself is done in time: a kill takes at most the kill budget.
 */

import type { GuardianPort } from '../../src/daemon/primary-control.ts';
import type { GuardianFacts } from '../../src/service/decide/situation.ts';
import type { Deadlines, EndingTimes } from '../../src/service/tenure/deadlines.ts';
import { TenureLatch } from '../../src/service/tenure/latch.ts';
import type { SimClock } from './clock.ts';
import type { Chance } from './random.ts';
import type { World } from './world.ts';

export const ENDING: EndingTimes = { stopBudgetMs: 200, killMs: 50, marginMs: 50 };

const LOOK_MS = 20;
const STOP_TIMEOUT_MS = 400;

export interface ServiceEvents {
  /** The service runs or the address is held, from now on or no more, in true time. */
  onHeld(isHeld: boolean): void;
  /** A fact changed that the daemon may want to know. */
  onReport(): void;
}

export class SimGuardian implements GuardianPort {
  readonly #world: World;
  readonly #clock: SimClock;
  readonly #chance: Chance;
  readonly #events: ServiceEvents;
  #latch = new TenureLatch(Number.POSITIVE_INFINITY);
  #service: GuardianFacts['service'] = 'stopped';
  #isAddressHeld = false;
  #crashes = 0;
  #run = 0;
  #life = 0;
  /** Orders that are on their way from the daemon. */
  #pending = 0;
  #isLooking = false;

  constructor(parts: {
    readonly world: World;
    readonly clock: SimClock;
    readonly chance: Chance;
    readonly events: ServiceEvents;
  }) {
    this.#world = parts.world;
    this.#clock = parts.clock;
    this.#chance = parts.chance;
    this.#events = parts.events;
  }

  get isHolding(): boolean {
    return this.#service !== 'stopped' || this.#isAddressHeld;
  }

  facts(epoch: number): GuardianFacts {
    const isForeign = this.#latch.epoch !== epoch && this.isHolding;
    return {
      // What was sent and not yet heard may be about to happen.
      service: this.#service === 'stopped' && this.#pending > 0 ? 'starting' : this.#service,
      isAddressHeld: this.#isAddressHeld,
      areAddressesHeld: this.#isAddressHeld,
      crashes: this.#crashes,
      isOver: isForeign || (this.#latch.epoch === epoch && this.#latch.isOver),
      isLost: false,
    };
  }

  serve(epoch: number, deadlines: Deadlines): void {
    this.#hear(() => {
      if (this.#latch.arm(epoch, deadlines, this.#clock.nowMs()) === 'armed') this.#start();
    });
  }

  restart(epoch: number, deadlines: Deadlines): void {
    this.#hear(() => {
      if (this.#latch.arm(epoch, deadlines, this.#clock.nowMs()) !== 'armed') return;
      this.#start();
    });
  }

  stop(epoch: number, deadlines: Deadlines): void {
    this.#hear(() => {
      this.#latch.arm(epoch, deadlines, this.#clock.nowMs());
      this.#drop();
      // A planned stop has its own patience, and ends in a kill as well.
      const run = this.#run;
      this.#world.after(STOP_TIMEOUT_MS, () => {
        if (run === this.#run && this.#service === 'stopping') this.#kill();
      });
    });
  }

  fence(): void {
    this.#hear(() => {
      this.#latch.end();
      this.#drop();
    });
  }

  /** The daemon died: the tenure ends with it. */
  daemonGone(): void {
    this.#latch.end();
    this.#drop();
  }

  crashService(): void {
    if (this.#service !== 'running') return;
    this.#crashes += 1;
    this.#run += 1;
    this.#service = 'stopped';
    this.#events.onReport();
  }

  /** The machine lost power, or the guardian was killed: the kernel ends everything at once. */
  kill(): void {
    this.#life += 1;
    this.#latch = new TenureLatch(Number.POSITIVE_INFINITY);
    this.#pending = 0;
    this.#isAddressHeld = false;
    this.#isLooking = false;
    this.#gone();
  }

  #hear(act: () => void): void {
    const life = this.#life;
    this.#pending += 1;
    this.#world.after(this.#chance.around(1), () => {
      if (life !== this.#life) return;
      this.#pending -= 1;
      this.#act();
      act();
      this.#awaitDeadline();
      this.#events.onReport();
    });
  }

  /**
   * It looks every so often; only the looks at which something is due are simulated. One
   * is always on its way while there are deadlines.
   */
  #awaitDeadline(): void {
    const { deadlines } = this.#latch;
    if (this.#isLooking || deadlines === undefined) return;
    this.#isLooking = true;
    const nowMs = this.#clock.nowMs();
    const { fenceAtMs, killAtMs, deadByMs } = deadlines;
    const nextMs = [fenceAtMs, killAtMs, deadByMs].find((atMs) => atMs > nowMs) ?? nowMs;
    const delayMs = this.#clock.trueMs(nextMs - nowMs + this.#chance.between(0, LOOK_MS));
    const life = this.#life;
    this.#world.after(delayMs, () => {
      if (life !== this.#life) return;
      this.#isLooking = false;
      this.#act();
      this.#awaitDeadline();
    });
  }

  #act(): void {
    const nowMs = this.#clock.nowMs();
    const stage = this.#latch.look({ bootMs: nowMs, monotonicMs: nowMs, wallMs: nowMs });
    if (stage === 'fence') this.#drop();
    if (stage === 'kill' || stage === 'dead') this.#kill();
  }

  #start(): void {
    if (this.#service !== 'stopped') return;
    this.#run += 1;
    const run = this.#run;
    this.#service = 'starting';
    this.#isAddressHeld = true;
    this.#events.onHeld(true);
    this.#world.after(this.#chance.between(1, 100), () => {
      if (run !== this.#run || this.#service !== 'starting') return;
      this.#service = 'running';
      this.#events.onReport();
    });
  }

  #drop(): void {
    this.#isAddressHeld = false;
    if (this.#service === 'stopped') {
      this.#released();
      return;
    }
    if (this.#service === 'stopping') return;
    this.#service = 'stopping';
    const run = this.#run;
    // One in four ignores the request and lives until it is killed.
    if (this.#chance.happens(0.25)) return;
    const most = ENDING.stopBudgetMs * 2;
    this.#world.after(this.#chance.between(1, most), () => {
      if (run === this.#run) this.#gone();
    });
  }

  #kill(): void {
    this.#isAddressHeld = false;
    const run = this.#run;
    this.#world.after(this.#chance.between(0, this.#clock.trueMs(ENDING.killMs)), () => {
      if (run === this.#run) this.#gone();
    });
  }

  #gone(): void {
    this.#run += 1;
    this.#service = 'stopped';
    this.#isAddressHeld = false;
    this.#released();
  }

  #released(): void {
    this.#latch.released();
    this.#events.onHeld(false);
    this.#events.onReport();
  }
}
