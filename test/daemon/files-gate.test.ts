/** Capture and apply never both: what the gate says, and what it waits for. */

import t from 'tap';
import { FilesGate } from '../../src/daemon/files-gate.ts';
import type { PlacedEntry, Proposals } from '../../src/daemon/proposals.ts';
import type { Replication } from '../../src/daemon/replication-port.ts';
import { until } from '../support/until.ts';

/** Replication, proposals and service as the test wants them; records what it is asked for. */
class Surroundings {
  readonly asked: string[] = [];
  mode = 'following';
  missing = 0;
  isServiceHeld = false;
  changes = 0;
  uncovered: string[][] = [];
  barriersFail = 0;
  readonly #open: Record<string, { done: () => void; failed: (error: Error) => void }> = {};
  readonly gate: FilesGate;

  constructor() {
    const self = this;
    const replication = {
      get status() {
        const { mode, missing } = self;
        return { mode, missing, state: { position: { index: 10, term: 1 } } };
      },
      arm: () => this.#ask('arm'),
      disarm: () => this.#ask('disarm'),
      barrier: async () => {
        this.asked.push('barrier');
        if (this.barriersFail > 0) {
          this.barriersFail -= 1;
          throw new Error('no lead');
        }
        return { uncovered: this.uncovered.shift() ?? [] };
      },
    };
    const proposals = {
      forgetBatches: () => this.asked.push('forgetBatches'),
      decree: async (data: Uint8Array): Promise<PlacedEntry> => {
        this.asked.push(`decree ${data[0]}`);
        return { index: 11, term: 1 };
      },
    };
    this.gate = new FilesGate({
      replication: replication as unknown as Replication,
      proposals: proposals as unknown as Proposals,
      log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
      isServiceHeld: () => this.isServiceHeld,
      encodeBarrier: () => Buffer.from([9]),
      onChange: () => {
        this.changes += 1;
      },
    });
  }

  /** Replication does what it was asked for. */
  async done(what: 'arm' | 'disarm'): Promise<void> {
    this.#open[what]?.done();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async failed(what: 'arm', error: Error): Promise<void> {
    this.#open[what]?.failed(error);
    await new Promise((resolve) => setImmediate(resolve));
  }

  #ask(what: string): Promise<void> {
    this.asked.push(what);
    return new Promise((done, failed) => {
      this.#open[what] = { done, failed };
    });
  }
}

t.test('capture is armed once replication says so, and not before', async (t) => {
  const around = new Surroundings();
  t.equal(around.gate.capture, 'off');
  around.gate.arm();
  t.equal(around.gate.capture, 'arming');
  await around.done('arm');
  t.equal(around.gate.capture, 'armed');
  t.equal(around.changes, 1, 'decisions hear of it');
});

t.test('nothing is armed on files that are not the log’s', async (t) => {
  const around = new Surroundings();
  for (const mode of ['unsettled', 'resyncing', 'awaitingBaseline']) {
    around.mode = mode;
    around.gate.arm();
    t.equal(around.gate.capture, 'off', mode);
  }
  t.same(around.asked, []);
});

t.test('capture that is about to end is not taken for armed', async (t) => {
  const around = new Surroundings();
  around.gate.arm();
  await around.done('arm');
  around.isServiceHeld = true;
  around.gate.disarm();
  t.equal(around.gate.capture, 'arming');
  t.same(around.asked, ['arm'], 'and goes on while the service may write');
  around.gate.step();
  t.same(around.asked, ['arm']);
  around.isServiceHeld = false;
  around.gate.step();
  around.gate.step();
  t.same(around.asked, ['arm', 'forgetBatches', 'disarm'], 'it ends once, own batches first');
  t.equal(around.gate.capture, 'arming', 'until it has ended');
  await around.done('disarm');
  t.equal(around.gate.capture, 'off');
});

t.test('capture that is told to end while it is being armed ends', async (t) => {
  const around = new Surroundings();
  around.gate.arm();
  around.gate.disarm();
  await around.done('arm');
  t.equal(around.gate.capture, 'arming');
  await around.done('disarm');
  t.equal(around.gate.capture, 'off');
});

t.test('capture that can not be armed ends, and can be tried again', async (t) => {
  const around = new Surroundings();
  around.gate.arm();
  await around.failed('arm', new Error('too many watches'));
  t.same(around.asked, ['arm', 'forgetBatches', 'disarm']);
  await around.done('disarm');
  t.equal(around.gate.capture, 'off');
  around.gate.arm();
  await around.done('arm');
  t.equal(around.gate.capture, 'armed');
});

t.test('files are caught up when everything is applied and nothing is missing', async (t) => {
  const around = new Surroundings();
  t.ok(around.gate.isCaughtUp(10));
  t.notOk(around.gate.isCaughtUp(11));
  around.gate.appliedTo(12);
  around.gate.appliedTo(11);
  t.ok(around.gate.isCaughtUp(12), 'what is applied stays so');
  around.missing = 1;
  t.notOk(around.gate.isCaughtUp(10));
  around.missing = 0;
  around.mode = 'unsettled';
  t.notOk(around.gate.isCaughtUp(10), 'the log may be ahead of the files then');
});

t.test('a flush ends with a committed barrier that covers everything', async (t) => {
  const around = new Surroundings();
  around.barriersFail = 1;
  around.uncovered = [['a file that never holds still']];
  around.gate.flush();
  around.gate.flush();
  t.notOk(around.gate.isFlushed);
  await until(() => around.gate.isFlushed, 'the flush to end');
  t.same(around.asked, ['barrier', 'barrier', 'decree 9', 'barrier', 'decree 9']);
  around.gate.forgetFlush();
  t.notOk(around.gate.isFlushed, 'a service that runs again makes it worthless');
});

t.test('a flush that is overtaken by the end of capture says nothing', async (t) => {
  const around = new Surroundings();
  around.gate.flush();
  around.gate.disarm();
  await around.done('disarm');
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.notOk(around.gate.isFlushed);
});
