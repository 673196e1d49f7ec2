/**
 * The guardian's core on a clock of the test's own: everything ends at its time,
 * whatever becomes of the other steps, and nothing revives what has ended.
 */

import t from 'tap';
import type { AddressDriver } from '../../src/service/address/address-driver.ts';
import type { ServiceDriver, ServiceEvents } from '../../src/service/driver/service-driver.ts';
import { Guardian, LOOK_MS } from '../../src/service/guardian/guardian.ts';
import type { Order } from '../../src/service/guardian/words.ts';
import { deadlinesOf } from '../../src/service/tenure/deadlines.ts';
import type { Moment } from '../../src/service/tenure/latch.ts';

const ENDING = { stopBudgetMs: 1000, killMs: 300, marginMs: 200 };
const STOP_TIMEOUT_MS = 5000;

class FakeAddress implements AddressDriver {
  readonly label = 'fake';
  readonly expiry = 'process';
  readonly announcements = 0;
  readonly problem = undefined;
  isHeld = false;
  untilMs = 0;
  isBroken = false;
  /** Asks the network first. */
  isSlow = false;
  hold(untilMs: number): void {
    if (this.isBroken) throw new Error('no such interface');
    if (!this.isSlow) this.isHeld = true;
    this.untilMs = untilMs;
  }
  drop(): void {
    if (this.isBroken) throw new Error('no such interface');
    this.isHeld = false;
  }
  close(): void {}
}

class FakeService implements ServiceDriver {
  state: ServiceDriver['state'] = 'stopped';
  pid = 7;
  processes = [{ pid: 7, startTicks: 1 }];
  starts = 0;
  terms = 0;
  kills = 0;
  /** Dies of a kill, as programs do. */
  isMortal = true;
  readonly #events: ServiceEvents;
  constructor(events: ServiceEvents) {
    this.#events = events;
  }
  start(): void {
    this.starts += 1;
    this.state = 'running';
  }
  terminate(): void {
    this.terms += 1;
  }
  kill(): void {
    this.kills += 1;
    if (this.isMortal && this.state !== 'stopped') this.end();
  }
  look(): void {}
  end(): void {
    this.state = 'stopped';
    this.#events.onEnded('in a test');
  }
}

class Rig {
  nowMs = 1_000_000;
  readonly address = new FakeAddress();
  service!: FakeService;
  readonly logs: string[] = [];
  killAtMs: number | undefined;
  releases = 0;
  readonly guardian: Guardian;

  constructor() {
    this.guardian = new Guardian({
      makeService: (events) => {
        this.service = new FakeService(events);
        return this.service;
      },
      addresses: [this.address],
      ending: ENDING,
      stopTimeoutMs: STOP_TIMEOUT_MS,
      killTimer: {
        arm: (target) => {
          this.killAtMs = target?.atMs;
        },
      },
      clock: () => this.moment,
      events: {
        onChange: () => undefined,
        onLog: (_, text) => this.logs.push(text),
        onReleased: () => {
          this.releases += 1;
        },
      },
    });
    this.guardian.look();
  }

  get moment(): Moment {
    return { bootMs: this.nowMs, monotonicMs: this.nowMs, wallMs: this.nowMs };
  }

  order(kind: 'serve' | 'restart' | 'stop', leaseMs = 10_000, epoch = 1): void {
    const deadlines = deadlinesOf(this.nowMs + leaseMs, ENDING);
    this.guardian.obey({ kind, epoch, deadlines }, this.moment);
  }

  /** Lets time pass, with all the looks that belong to it. */
  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += LOOK_MS) {
      this.nowMs += LOOK_MS;
      this.guardian.look();
    }
  }

  get state(): string {
    return this.guardian.report.service.state;
  }
}

t.test('a tenure that is not renewed ends step by step, each at its time', async (t) => {
  const rig = new Rig();
  const beganMs = rig.nowMs;
  const { fenceAtMs, killAtMs } = deadlinesOf(beganMs + 3000, ENDING);
  rig.order('serve', 3000);
  t.ok(rig.address.isHeld, 'the address is held');
  t.equal(rig.address.untilMs, fenceAtMs, 'and ends by itself at the fence time');
  t.equal(rig.state, 'running');

  rig.pass(fenceAtMs - beganMs - LOOK_MS);
  t.ok(rig.address.isHeld, 'it is held until the fence time');
  rig.pass(LOOK_MS);
  t.notOk(rig.address.isHeld, 'and dropped at it');
  t.equal(rig.service.terms, 1, 'the service is asked to stop, once');
  t.equal(rig.state, 'stopping');
  t.ok(rig.guardian.report.isOver);

  rig.pass(killAtMs - rig.nowMs - LOOK_MS);
  t.equal(rig.service.kills, 0, 'it is not killed before its time');
  t.equal(rig.killAtMs, killAtMs, 'the other thread knows the time');
  rig.pass(LOOK_MS);
  t.equal(rig.service.kills, 1, 'and killed at it');
  t.notOk(rig.guardian.isHolding);
  t.equal(rig.releases, 1);
  t.equal(rig.guardian.report.service.crashes, 0, 'this was no crash');
  t.equal(rig.killAtMs, undefined);
});

t.test('an address that can not be dropped keeps no step from being taken', async (t) => {
  const rig = new Rig();
  rig.order('serve', 3000);
  rig.address.isBroken = true;
  rig.pass(3000);
  t.equal(rig.service.terms, 1);
  t.equal(rig.service.kills, 1);
  t.ok(rig.guardian.isHolding, 'it goes on saying that it holds the address');
  t.equal(rig.logs.filter((text) => text.includes('drop fake')).length, 1, 'and says why once');
  rig.address.isBroken = false;
  rig.pass(LOOK_MS);
  t.notOk(rig.guardian.isHolding, 'until it could be dropped');
});

t.test('a service that survives its kill is killed again and never called stopped', async (t) => {
  const rig = new Rig();
  rig.order('serve', 3000);
  rig.service.isMortal = false;
  rig.pass(10_000);
  t.ok(rig.service.kills > 100);
  t.equal(rig.state, 'stopping');
});

t.test('a renewal that comes after the fence time revives nothing', async (t) => {
  const rig = new Rig();
  rig.order('serve', 3000);
  rig.pass(1600);
  t.ok(rig.guardian.report.isOver);
  rig.order('serve', 10_000);
  rig.order('restart', 10_000);
  t.notOk(rig.address.isHeld);
  t.equal(rig.state, 'stopping');
  rig.service.end();
  rig.order('serve', 10_000);
  t.equal(rig.state, 'stopped', 'not even when everything is gone');
  rig.order('serve', 10_000, 2);
  t.equal(rig.state, 'running', 'only another epoch does');
});

t.test('after a pause everything is killed before a word is heard', async (t) => {
  for (const clock of ['bootMs', 'monotonicMs', 'wallMs'] as const) {
    const rig = new Rig();
    rig.order('serve', 60_000);
    const asleepMs = 250;
    const before = rig.moment;
    const moment = { ...before, [clock]: before[clock] + asleepMs };
    Object.defineProperty(rig, 'moment', { get: () => moment });
    const deadlines = deadlinesOf(rig.nowMs + 60_000, ENDING);
    rig.guardian.obey({ kind: 'serve', epoch: 1, deadlines }, moment);
    t.notOk(rig.address.isHeld, `the address is dropped when ${clock} jumped`);
    t.equal(rig.service.kills, 1, 'the service is killed');
    t.ok(rig.guardian.report.isOver);
  }
});

t.test('an order that waited in the pipe while the machine slept starts nothing', async (t) => {
  const rig = new Rig();
  const saidAt = rig.moment;
  const deadlines = deadlinesOf(rig.nowMs + 60_000, ENDING);
  rig.nowMs += 300;
  const order: Order = { kind: 'serve', epoch: 1, deadlines };
  rig.guardian.obey(order, saidAt);
  t.equal(rig.state, 'stopped');
  t.notOk(rig.address.isHeld);
  rig.guardian.obey(order, rig.moment);
  t.equal(rig.state, 'running', 'the same order does, said after the pause');
});

t.test('the service starts when all addresses are held, and not before', async (t) => {
  const rig = new Rig();
  rig.address.isSlow = true;
  rig.order('serve');
  rig.pass(500);
  t.equal(rig.service.starts, 0);
  t.equal(rig.state, 'starting', 'it is told as one that may begin');
  rig.address.isHeld = true;
  rig.pass(LOOK_MS);
  t.equal(rig.service.starts, 1);
  t.equal(rig.state, 'running');
});

t.test('an address that comes too late starts nothing', async (t) => {
  const rig = new Rig();
  rig.address.isSlow = true;
  rig.order('serve', 3000);
  rig.pass(3000);
  rig.address.isHeld = true;
  rig.pass(LOOK_MS);
  t.equal(rig.service.starts, 0);
  t.equal(rig.state, 'stopped');
});

t.test('a crash is counted and answered by an order to restart alone', async (t) => {
  const rig = new Rig();
  rig.order('serve');
  rig.service.end();
  t.equal(rig.guardian.report.service.crashes, 1);
  rig.order('serve');
  t.equal(rig.state, 'stopped', 'a renewal does not start it');
  t.ok(rig.address.isHeld, 'the address stays');
  rig.order('restart');
  t.equal(rig.state, 'running');
  t.equal(rig.service.starts, 2);
});

t.test('a restart of what still runs stops it first, with the short patience', async (t) => {
  const rig = new Rig();
  rig.order('serve');
  rig.order('restart');
  rig.order('restart');
  t.equal(rig.service.terms, 1);
  t.equal(rig.state, 'stopping');
  rig.pass(ENDING.stopBudgetMs + LOOK_MS);
  t.equal(rig.service.kills, 1);
  t.equal(rig.state, 'running', 'it was started anew');
  t.equal(rig.guardian.report.service.crashes, 0);
  t.ok(rig.address.isHeld);
  rig.pass(2000);
  t.equal(rig.service.kills, 1, 'and is left alone');
});

t.test('a restart is forgotten when everything is to go', async (t) => {
  const rig = new Rig();
  rig.order('serve');
  rig.order('restart');
  rig.guardian.obey({ kind: 'fence', epoch: 1 }, rig.moment);
  rig.service.end();
  t.equal(rig.service.starts, 1);
  t.notOk(rig.guardian.isHolding);
});

t.test('a planned stop has its own patience while the tenure is renewed', async (t) => {
  const rig = new Rig();
  rig.order('serve');
  for (let passedMs = 0; passedMs < STOP_TIMEOUT_MS; passedMs += 100) {
    rig.order('stop');
    t.notOk(rig.address.isHeld);
    rig.pass(100);
  }
  t.equal(rig.service.terms, 1, 'it is asked once');
  t.equal(rig.service.kills, 1, 'and killed when the patience is over');
  t.notOk(rig.guardian.isHolding);
  rig.order('serve');
  t.equal(rig.state, 'running', 'the same epoch may serve again after a planned stop');
});

t.test('a planned stop whose tenure is not renewed ends with the tenure', async (t) => {
  const rig = new Rig();
  rig.order('serve', 3000);
  rig.order('stop', 3000);
  rig.pass(3000);
  t.equal(rig.service.kills, 1);
  t.notOk(rig.guardian.isHolding);
});

t.test('what is stopping is not started again by an order that was on its way', async (t) => {
  const rig = new Rig();
  rig.order('serve');
  rig.order('stop');
  rig.order('serve');
  t.notOk(rig.address.isHeld);
  t.equal(rig.service.starts, 1);
});

t.test('without its daemon the tenure ends at once', async (t) => {
  const rig = new Rig();
  rig.order('serve', 60_000);
  rig.guardian.daemonGone();
  t.notOk(rig.address.isHeld);
  t.equal(rig.service.terms, 1);
  rig.pass(ENDING.stopBudgetMs + LOOK_MS);
  t.equal(rig.service.kills, 1);
  t.notOk(rig.guardian.isHolding);
});

t.test('an order of an earlier epoch starts nothing, but an earlier fence lets go', async (t) => {
  const rig = new Rig();
  rig.order('serve', 10_000, 5);
  rig.order('restart', 10_000, 4);
  t.equal(rig.service.starts, 1);
  t.equal(rig.service.terms, 0);
  rig.guardian.obey({ kind: 'fence', epoch: 4 }, rig.moment);
  t.notOk(rig.address.isHeld);
});
