/**
 * The guardian as a real process, and its client: the service and the address come with
 * the tenure and end with it, each step at its time.
 */

import { existsSync } from 'node:fs';
import t from 'tap';
import type { GuardianPort } from '../../src/daemon/primary-control.ts';
import { bootTimeMs } from '../../src/platform/linux/clock.ts';
import { findProcess, isAlive } from '../../src/platform/linux/processes.ts';
import { GuardianClient } from '../../src/service/guardian/client.ts';
import { readService } from '../../src/service/guardian/records.ts';
import { scratch } from '../support/scratch.ts';
import { until } from '../support/until.ts';
import { LEASE_MS, NAMESPACES, Rig } from './guardian-rig.ts';
import {
  ENDING,
  fileAddress,
  GUARDIAN,
  heldFile,
  lease,
  servicesOf,
  settingsFor,
} from './programs.ts';

t.test('the service runs once, as the child of no wrapper that counts', async (t) => {
  const rig = await new Rig(t).start();
  t.match(rig.client.protection, /^lease, (namespace|weak)$/);
  const pid = await rig.serve();
  t.same(servicesOf(rig.name), [pid], 'exactly one process is the service, and its pid is told');
  t.match(rig.logs.join('\n'), /info: service: up as n1 in epoch 1, secret undefined/);
  t.ok(rig.isAddressThere);
  t.same(
    readService(rig.directory).map(isAlive),
    readService(rig.directory).map(() => true),
    'what runs is written down',
  );
  const port: GuardianPort = rig.client;
  t.same(port.facts(1), {
    service: 'running',
    isAddressHeld: true,
    areAddressesHeld: true,
    crashes: 0,
    isOver: false,
    isLost: false,
  });
  t.ok(rig.client.facts(2).isOver, 'for another epoch what is held must go');
  rig.client.fence(1);
  await rig.untilReleased();
  t.same(servicesOf(rig.name), []);
  t.notOk(rig.isAddressThere);
  t.equal(rig.client.service.crashes, 0);
});

t.test('a service deaf to SIGTERM is gone before its lease ends', async (t) => {
  const rig = await new Rig(t, { options: ['--ignore-term'] }).start();
  const endsAtMs = bootTimeMs() + 2500;
  await rig.serve(2500);
  await until(() => !rig.isAddressThere, 'the address is dropped');
  t.ok(servicesOf(rig.name).length === 1, 'the service is asked first');
  await rig.untilReleased();
  t.ok(bootTimeMs() < endsAtMs, `gone ${Math.round(endsAtMs - bootTimeMs())} ms before the end`);
  t.same(servicesOf(rig.name), []);
  t.match(rig.states, ['starting', 'running', 'stopping over', 'stopped over']);
});

t.test('an address driver that hangs for ever does not keep the service alive', async (t) => {
  const scratchOf = scratch(t).path;
  const rig = await new Rig(t, {
    options: ['--ignore-term'],
    addresses: [fileAddress(scratchOf, 'hangs')],
  }).start();
  const endsAtMs = bootTimeMs() + 2500;
  await rig.serve(2500);
  await until(() => servicesOf(rig.name).length === 0, 'the service is gone');
  t.ok(bootTimeMs() < endsAtMs, `gone ${Math.round(endsAtMs - bootTimeMs())} ms before the end`);
});

t.test('orders to a guardian that hangs: its daemon ends everything itself', async (t) => {
  const directory = scratch(t).path;
  const rig = await new Rig(t, { addresses: [fileAddress(directory, 'hangs')] }).start();
  await rig.serve();
  const before = rig.guardianPid;
  rig.client.fence(1);
  await until(() => rig.losses.length === 1, 'the guardian is given up');
  t.match(rig.losses[0], /did not answer/);
  t.ok(rig.client.facts(1).isLost);
  await until(() => rig.client.isConnected, 'another takes its place');
  t.same(servicesOf(rig.name), []);
  t.not(rig.guardianPid, before);
  t.notOk(existsSync(heldFile(directory, 'hangs')), 'which cleared up the address');
});

t.test(
  'without one of its addresses a service does not start, and the other is given back',
  async (t) => {
    for (const behaviour of ['throws', 'never']) {
      const rig = new Rig(t);
      const addresses = [fileAddress(rig.directory, behaviour), fileAddress(rig.directory)];
      Object.assign(rig.wishes, { addresses });
      await rig.start();
      rig.client.serve(1, lease(2000));
      await until(() => rig.isAddressThere, 'the other one is held');
      await until(() => !rig.client.facts(1).isOver, 'the order is answered');
      t.notOk(rig.client.facts(1).areAddressesHeld);
      t.equal(rig.client.facts(1).service, 'starting', 'the service waits for both');
      if (behaviour === 'throws') {
        t.match(rig.logs.join('\n'), /error: could not hold throws: no such interface/);
      }
      await rig.untilReleased();
      t.notOk(rig.isAddressThere);
      t.notOk(
        rig.logs.some((line) => line.includes('up as')),
        'it never ran',
      );
    }
  },
);

t.test('a stray in the background ends with its service', NAMESPACES, async (t) => {
  const rig = await new Rig(t, { options: ['--stray'] }).start();
  await rig.serve();
  await until(() => servicesOf(rig.name).length === 2, 'the stray runs');
  rig.renew('stop');
  await rig.untilReleased();
  t.same(servicesOf(rig.name), []);
});

t.test('a crash is told and not undone; an order to restart starts it again', async (t) => {
  const rig = await new Rig(t).start();
  const first = await rig.serve();
  rig.renew();
  process.kill(first, 'SIGKILL');
  await until(() => rig.client.service.crashes === 1, 'the crash is counted');
  t.equal(rig.client.facts(1).service, 'stopped');
  t.ok(rig.client.facts(1).isAddressHeld, 'the address stays');
  t.match(rig.logs.join('\n'), /the service ended unasked, with exit code 137/);
  rig.client.restart(1, lease(LEASE_MS));
  t.equal(rig.client.facts(1).service, 'starting', 'what was ordered may be about to happen');
  await until(() => rig.client.service.state === 'running', 'it runs again');
  t.same(servicesOf(rig.name), [rig.client.service.pid]);
  t.not(rig.client.service.pid, first);
});

t.test('a program that does not exist is a crash with a reason', async (t) => {
  const rig = new Rig(t);
  const settings = settingsFor(rig.wishes);
  const service = { ...settings.service, start: ['/no/such/program'] };
  rig.client = await GuardianClient.start(
    { ...settings, service },
    {
      onReport: () => undefined,
      onLog: (_, text) => rig.logs.push(text),
      onLost: () => undefined,
    },
    GUARDIAN,
  );
  rig.client.serve(1, lease(LEASE_MS));
  await until(() => rig.client.service.crashes === 1, 'the crash is counted');
  t.match(rig.logs.join('\n'), /no\/such\/program: not found/);
});

t.test('a planned stop waits for a slow service while the tenure is renewed', async (t) => {
  // Longer than the short patience of a fence.
  const slowMs = ENDING.stopBudgetMs * 3;
  const rig = await new Rig(t, { options: ['--stop-ms', `${slowMs}`] }).start();
  await rig.serve();
  const atMs = performance.now();
  rig.renew('stop');
  await until(() => !rig.isAddressThere, 'the address is dropped first');
  t.equal(servicesOf(rig.name).length, 1);
  await rig.untilReleased();
  t.ok(performance.now() - atMs >= slowMs, 'it had its time');
  t.notOk(rig.client.facts(1).isOver, 'the tenure is not over');
});

t.test('a planned stop of a deaf service ends in a kill', async (t) => {
  const rig = await new Rig(t, { options: ['--ignore-term'], stopTimeoutMs: 1000 }).start();
  await rig.serve();
  rig.renew('stop');
  await rig.untilReleased();
  t.same(servicesOf(rig.name), []);
});

t.test('without a service driver the guardian holds addresses alone', async (t) => {
  const rig = new Rig(t);
  const settings = settingsFor(rig.wishes);
  const service = { ...settings.service, driver: 'none' as const, start: [] };
  rig.client = await GuardianClient.start(
    { ...settings, service },
    { onReport: () => undefined, onLog: () => undefined, onLost: () => undefined },
    GUARDIAN,
  );
  rig.client.serve(1, lease(1500));
  await until(() => rig.client.service.state === 'running', 'it counts as running');
  t.ok(rig.isAddressThere);
  await rig.untilReleased();
  t.notOk(rig.isAddressThere);
});

t.test('closing ends a tenure that lasts, and leaves nothing', async (t) => {
  const rig = await new Rig(t).start();
  await rig.serve();
  const identity = findProcess(rig.guardianPid);
  await rig.client.close();
  t.same(servicesOf(rig.name), []);
  t.notOk(rig.isAddressThere);
  t.notOk(identity !== undefined && isAlive(identity));
  t.same(rig.losses, [], 'which is no loss');
});
