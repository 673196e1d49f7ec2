/**
 * Whoever of daemon and guardian dies, hangs, is stopped or goes mad, in whatever order:
 * the service and the address end with the tenure.
 */

import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { bootTimeMs } from '../../src/platform/linux/clock.ts';
import { findProcess, isAlive } from '../../src/platform/linux/processes.ts';
import { until } from '../support/until.ts';
import { LEASE_MS, NAMESPACES, Rig, startDaemon } from './guardian-rig.ts';
import { ENDING, fileAddress, GUARDIAN, lease, servicesOf, settingsFor } from './programs.ts';

t.test(
  'when the guardian is killed the kernel ends the service, strays included',
  NAMESPACES,
  async (t) => {
    const rig = await new Rig(t, { options: ['--stray', '--ignore-term'] }).start();
    await rig.serve();
    await until(() => servicesOf(rig.name).length === 2, 'the stray runs');
    // Its daemon sees it too, and must not be what ends the service.
    const { pid } = rig.client;
    process.kill(pid ?? 0, 'SIGKILL');
    const atMs = performance.now();
    while (servicesOf(rig.name).length > 0 && performance.now() - atMs < 2000);
    t.same(servicesOf(rig.name), [], `gone after ${Math.round(performance.now() - atMs)} ms`);
    await until(() => rig.losses.length === 1, 'the loss is told');
    await until(() => rig.client.isConnected, 'another guardian takes its place');
    const { service, isAddressHeld, isLost } = rig.client.facts(1);
    t.same([service, isAddressHeld, isLost], ['stopped', false, false]);
    t.ok(rig.states.includes('running lost'), 'its last words stood until the service was gone');
    await rig.serve();
    t.pass('and serves again');
  },
);

t.test('a guardian that is stopped is given up, killed and replaced', async (t) => {
  const rig = await new Rig(t, { options: ['--ignore-term'] }).start();
  await rig.serve();
  const before = findProcess(rig.guardianPid);
  process.kill(rig.guardianPid, 'SIGSTOP');
  rig.renew();
  await until(() => rig.losses.length === 1, 'it is given up');
  rig.silence();
  await until(() => rig.client.isConnected, 'another takes its place');
  t.same(servicesOf(rig.name), []);
  t.notOk(before !== undefined && isAlive(before));
  await rig.untilReleased();
});

t.test('when the daemon is killed the tenure ends at once, and its guardian', async (t) => {
  const rig = new Rig(t, { options: ['--ignore-term'] });
  const { daemon, guardian } = await startDaemon(t, rig);
  const identity = findProcess(guardian);
  daemon.kill('SIGKILL');
  const atMs = performance.now();
  await until(() => !rig.isAddressThere, 'the address is dropped', 300);
  await until(() => servicesOf(rig.name).length === 0, 'the service is gone');
  const tookMs = performance.now() - atMs;
  t.ok(tookMs < ENDING.stopBudgetMs + ENDING.killMs, `gone after ${Math.round(tookMs)} ms`);
  await until(() => identity !== undefined && !isAlive(identity), 'the guardian has ended');
});

t.test(
  'when daemon and guardian are killed together the service is gone at once',
  NAMESPACES,
  async (t) => {
    const rig = new Rig(t, { options: ['--stray', '--ignore-term'] });
    const { daemon, guardian } = await startDaemon(t, rig);
    // One signal to both: stopped first, so that neither acts on the other's end.
    for (const pid of [daemon.pid ?? 0, guardian]) process.kill(pid, 'SIGSTOP');
    for (const pid of [daemon.pid ?? 0, guardian]) process.kill(pid, 'SIGKILL');
    await until(() => servicesOf(rig.name).length === 0, 'the service is gone', 1000);
    await rig.start();
    t.notOk(rig.isAddressThere, 'the next guardian clears up the address');
    await rig.serve();
  },
);

t.test('a hanging address driver gives the service of a dead daemon no time', async (t) => {
  const rig = new Rig(t, { options: ['--ignore-term'] });
  Object.assign(rig.wishes, { addresses: [fileAddress(rig.directory, 'hangs')] });
  const { daemon } = await startDaemon(t, rig);
  daemon.kill('SIGKILL');
  const atMs = performance.now();
  await until(() => servicesOf(rig.name).length === 0, 'the service is gone');
  const tookMs = performance.now() - atMs;
  t.ok(tookMs < ENDING.stopBudgetMs + ENDING.killMs, `gone after ${Math.round(tookMs)} ms`);
});

t.test('a guardian stopped longer than the lease wakes up to no tenure', async (t) => {
  const rig = new Rig(t, { options: ['--ignore-term'] });
  const { daemon, guardian } = await startDaemon(t, rig);
  const identity = findProcess(guardian);
  // The daemon is stopped too, or it would not wait so long; its renewals are in the pipe.
  process.kill(guardian, 'SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 120));
  process.kill(daemon.pid ?? 0, 'SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, LEASE_MS));
  process.kill(guardian, 'SIGCONT');
  await until(() => servicesOf(rig.name).length === 0, 'the service is killed', 500);
  await until(() => !rig.isAddressThere, 'the address is dropped', 500);
  t.ok(identity !== undefined && isAlive(identity), 'by the guardian itself, which lives');
});

t.test('a new daemon ends the stopped guardian of a dead one, and its service', async (t) => {
  const rig = new Rig(t, { options: ['--ignore-term'] });
  const { daemon, guardian } = await startDaemon(t, rig);
  const identity = findProcess(guardian);
  process.kill(guardian, 'SIGSTOP');
  daemon.kill('SIGKILL');
  await until(() => daemon.signalCode !== null, 'the daemon is dead');
  t.equal(servicesOf(rig.name).length, 1, 'nobody ends the service');
  await rig.start();
  t.same(servicesOf(rig.name), [], 'until a new guardian is there');
  t.notOk(identity !== undefined && isAlive(identity));
  t.notOk(rig.isAddressThere);
});

t.test('a second daemon in the same directory is refused, and disturbs nothing', async (t) => {
  const rig = new Rig(t);
  await startDaemon(t, rig);
  const running = servicesOf(rig.name);
  await t.rejects(rig.start(), {
    code: 'REFUSED',
    message: /is in use by a running daemon, process \d+: stop that one first/,
  });
  t.same(servicesOf(rig.name), running);
  t.ok(rig.isAddressThere);
});

t.test('garbage from the daemon ends the tenure', async (t) => {
  const noise = ['nonsense\n', '{"kind":"order"}\n', '[1]\n', 'null\n', 'x'.repeat(2 << 20)];
  for (const text of noise) {
    const rig = new Rig(t);
    const guardian = spawn(process.execPath, [fileURLToPath(GUARDIAN)], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    });
    t.teardown(() => guardian.kill('SIGKILL'));
    const channel = guardian.stdio[3] as Duplex;
    channel.on('error', () => undefined);
    let words = '';
    channel.on('data', (bytes) => {
      words += bytes;
    });
    const say = (word: object) => channel.write(`${JSON.stringify(word)}\n`);
    say({ kind: 'begin', settings: settingsFor(rig.wishes) });
    await until(() => words.includes('"ready"'), 'the guardian is ready');
    const nowMs = bootTimeMs();
    const saidAt = { bootMs: nowMs, monotonicMs: nowMs, wallMs: Date.now() };
    const order = { kind: 'serve', epoch: 1, deadlines: lease(60_000) };
    say({ kind: 'order', number: 1, saidAt, order });
    await until(() => words.includes('up as'), 'the service runs');
    channel.write(text);
    await until(() => guardian.exitCode === 0, 'the guardian ended', 3000);
    t.same(servicesOf(rig.name), [], `after ${JSON.stringify(text.slice(0, 20))}`);
    t.notOk(rig.isAddressThere);
  }
});
