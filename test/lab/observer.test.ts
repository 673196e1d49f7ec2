/**
 * The observer, against real machines: it is red when it must be, and only then.
 *
 * Each test that expects nothing wrong ends by doing the wrong thing, so that
 * its silence before was not blindness.
 */

import type { ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { enterLab } from './enter-lab.ts';
import { ended } from './machine.ts';
import { LabNetwork } from './network.ts';
import { ObserverClient, type ObserverReport } from './observer-client.ts';
import { signalProcess } from './processes.ts';
import { lasting, until } from './until.ts';

const ADDRESS = '10.77.0.100';
const SERVICE = 'pretended-mail-service';

/** Machines, the observer, and hands to do right and wrong with. */
class Scene {
  readonly network: LabNetwork;
  readonly observer: ObserverClient;

  private constructor(network: LabNetwork, observer: ObserverClient) {
    this.network = network;
    this.observer = observer;
  }

  static async set(t: Test): Promise<Scene> {
    const network = await LabNetwork.up({ nodes: 2 });
    t.teardown(() => network.down());
    const observer = await ObserverClient.start(network, { address: ADDRESS, marker: SERVICE });
    // The name of the program is what makes it the service.
    for (const name of network.nodes) {
      symlinkSync('/bin/sleep', join(network.directoryOf(name), SERVICE));
    }
    return new Scene(network, observer);
  }

  async hold(name: string): Promise<void> {
    await this.network.run(name, ['ip', 'address', 'add', `${ADDRESS}/24`, 'dev', 'eth0']);
  }

  async release(name: string): Promise<void> {
    await this.network.run(name, ['ip', 'address', 'del', `${ADDRESS}/24`, 'dev', 'eth0']);
  }

  /** Starts the service; its pid as the test sees it. */
  async serve(name: string): Promise<{ readonly pid: number; readonly child: ChildProcess }> {
    const program = join(this.network.directoryOf(name), SERVICE);
    const child = this.network.exec(name, [program, '600']);
    const pid = await until('the service runs', () => this.servicePid(name));
    return { pid, child };
  }

  servicePid(name: string): number | undefined {
    const isService = (argv: readonly string[]) => argv[0]?.endsWith(SERVICE) === true;
    return this.network.processes(name).find(({ argv }) => isService(argv))?.pid;
  }

  async seen(services: readonly string[], holders: readonly string[]): Promise<void> {
    await this.observer.until(
      `service on [${services}], address on [${holders}]`,
      (view) => sameSet(view.services, services) && sameSet(view.holders, holders),
    );
  }
}

function sameSet(set: ReadonlySet<string>, names: readonly string[]): boolean {
  return set.size === names.length && names.every((name) => set.has(name));
}

interface Freezer {
  readonly folder: string;
  readonly file: string;
  readonly frozen: string;
  readonly thawed: string;
}

/** A cgroup hierarchy in which this process may make a group that freezes. */
function findFreezer(): Freezer | undefined {
  const folders = ['/sys/fs/cgroup/freezer', '/sys/fs/cgroup/unified', '/sys/fs/cgroup'];
  for (const folder of folders) {
    const group = join(folder, `mailraft-lab-trial-${process.pid}`);
    try {
      mkdirSync(group);
    } catch {
      // Absent, or not for us: both mean the next one.
      continue;
    }
    const [first, second] = ['freezer.state', 'cgroup.freeze'].map((file) =>
      existsSync(join(group, file)),
    );
    rmdirSync(group);
    if (first) return { folder, file: 'freezer.state', frozen: 'FROZEN', thawed: 'THAWED' };
    if (second) return { folder, file: 'cgroup.freeze', frozen: '1', thawed: '0' };
  }
  return undefined;
}

/** What every run that is worth anything has. */
function watched(t: Test, { summary }: ObserverReport): void {
  t.equal(summary.void, false, 'not void');
  t.ok(summary.longestGapMs <= 100, `longest gap ${summary.longestGapMs} ms`);
  t.ok(summary.samples > 0, 'it sampled');
  t.equal(summary.arpDropped, 0);
}

if (await enterLab(t, import.meta.filename)) {
  t.test('one holder and one service, then another of each: nothing is wrong', async (t) => {
    const scene = await Scene.set(t);
    const { network, observer } = scene;
    await scene.hold('n1');
    const first = await scene.serve('n1');
    await scene.seen(['n1'], ['n1']);
    await observer.more(50);
    signalProcess(first.pid, 'SIGKILL');
    await ended(first.child);
    await scene.release('n1');
    await scene.seen([], []);
    await scene.hold('n2');
    await scene.serve('n2');
    await scene.seen(['n2'], ['n2']);
    await observer.more(50);
    const report = await observer.stop();
    watched(t, report);
    t.same(report.violations, []);
    t.match(report.summary, { observer: ADDRESS, doubleService: 0, doubleAddress: 0 });
    t.same(
      report.summary.services.map(({ machine }) => machine),
      ['n1', 'n2'],
    );
    t.match(report.summary.holders, [
      { machine: 'n1', mac: network.macOf('n1') },
      { machine: 'n2', mac: network.macOf('n2') },
    ]);
    const [one, two] = report.summary.holders;
    t.ok(one && two && one.fromMs < one.toMs && one.toMs < two.fromMs, 'one after the other');
    t.ok(one && one.answers >= 50, 'it answered every request');
    t.ok(report.summary.arpFrames >= 100, 'every answer was heard');
    t.equal(report.exitCode, 0);
  });

  t.test('two machines that both answer for the address turn the run red', async (t) => {
    const scene = await Scene.set(t);
    await scene.hold('n1');
    await scene.seen([], ['n1']);
    await scene.hold('n2');
    await scene.observer.until('red', (view) => view.violations.includes('doubleAddress'));
    await scene.release('n1');
    await scene.seen([], ['n2']);
    const report = await scene.observer.stop();
    watched(t, report);
    t.ok(report.summary.doubleAddress > 0);
    t.match(report.violations, [{ violation: 'doubleAddress' }]);
    t.same([...(report.violations[0]?.who ?? [])].sort(), ['n1', 'n2']);
    t.equal(report.exitCode, 1);
  });

  t.test('an address behind a cut cable is held by nobody, until the cable heals', async (t) => {
    const scene = await Scene.set(t);
    await scene.hold('n1');
    await scene.seen([], ['n1']);
    await scene.network.cut('n1');
    await scene.seen([], []);
    await scene.hold('n2');
    await scene.seen([], ['n2']);
    await scene.observer.more(10);
    t.same(scene.observer.view.violations, []);
    await scene.network.heal('n1');
    await scene.observer.until('red', (view) => view.violations.includes('doubleAddress'));
    watched(t, await scene.observer.stop());
  });

  t.test('two machines that both run the service turn the run red', async (t) => {
    const scene = await Scene.set(t);
    const first = await scene.serve('n1');
    await scene.seen(['n1'], []);
    await scene.serve('n2');
    await scene.observer.until('red', (view) => view.violations.includes('doubleService'));
    signalProcess(first.pid, 'SIGKILL');
    await scene.seen(['n2'], []);
    const report = await scene.observer.stop();
    watched(t, report);
    t.ok(report.summary.doubleService > 0);
    t.match(report.violations, [{ violation: 'doubleService', who: ['n1', 'n2'] }]);
    t.equal(report.exitCode, 1);
  });

  t.test('two processes of the service on one machine are one service', async (t) => {
    const scene = await Scene.set(t);
    await scene.serve('n1');
    const program = join(scene.network.directoryOf('n1'), SERVICE);
    // As a guardian runs it: within a pid namespace of its own, behind a launcher.
    scene.network.exec('n1', ['unshare', '--pid', '--fork', '--kill-child', program, '601']);
    await until('both run', () => scene.network.processes('n1').length === 3);
    await scene.seen(['n1'], []);
    await scene.observer.more(10);
    t.same(scene.observer.view.violations, []);
    await scene.network.killEverything('n1');
    await scene.seen([], []);
    scene.network.exec('n2', ['unshare', '--pid', '--fork', '--kill-child', program, '601']);
    await scene.seen(['n2'], []);
    watched(t, await scene.observer.stop());
  });

  t.test('a stopped service does not run; when it goes on it does', async (t) => {
    const scene = await Scene.set(t);
    const first = await scene.serve('n1');
    await scene.seen(['n1'], []);
    signalProcess(first.pid, 'SIGSTOP');
    await scene.seen([], []);
    await scene.serve('n2');
    await scene.seen(['n2'], []);
    await scene.observer.more(10);
    t.same(scene.observer.view.violations, []);
    signalProcess(first.pid, 'SIGCONT');
    await scene.observer.until('red', (view) => view.violations.includes('doubleService'));
    watched(t, await scene.observer.stop());
  });

  t.test('the launcher of a stopped service is not the service', async (t) => {
    const scene = await Scene.set(t);
    const program = join(scene.network.directoryOf('n1'), SERVICE);
    scene.network.exec('n1', ['unshare', '--pid', '--fork', '--kill-child', program, '601']);
    await scene.seen(['n1'], []);
    signalProcess((await until('it runs', () => scene.servicePid('n1'))) ?? 0, 'SIGSTOP');
    await scene.seen([], []);
    watched(t, await scene.observer.stop());
  });

  t.test('a zombie does not run', async (t) => {
    const scene = await Scene.set(t);
    const program = join(scene.network.directoryOf('n1'), SERVICE);
    // The parent becomes a program that never asks for its child.
    scene.network.exec('n1', ['sh', '-c', '"$0" 600 & exec sleep 601', program]);
    await scene.seen(['n1'], []);
    const pid = (await until('it runs', () => scene.servicePid('n1'))) ?? 0;
    signalProcess(pid, 'SIGKILL');
    await scene.seen([], []);
    const zombie = scene.network.processes('n1').find((process) => process.pid === pid);
    t.equal(zombie?.state, 'Z');
    await scene.serve('n2');
    await scene.seen(['n2'], []);
    await scene.observer.more(10);
    const report = await scene.observer.stop();
    watched(t, report);
    t.same(report.violations, []);
  });

  const freezer = findFreezer();
  const freezing = freezer === undefined ? { skip: 'no cgroup freezer may be used here' } : {};
  t.test('a frozen service does not run', freezing, async (t) => {
    if (freezer === undefined) return;
    const scene = await Scene.set(t);
    const group = join(freezer.folder, `mailraft-lab-${process.pid}`);
    mkdirSync(group);
    const setFrozen = (value: string) => writeFileSync(join(group, freezer.file), value);
    t.teardown(async () => {
      setFrozen(freezer.thawed);
      await scene.network.down();
      // The kernel counts the dead until they are buried.
      await until(
        'the group is empty',
        () => readFileSync(join(group, 'cgroup.procs')).length === 0,
      );
      rmdirSync(group);
    });
    const { pid } = await scene.serve('n1');
    await scene.seen(['n1'], []);
    writeFileSync(join(group, 'cgroup.procs'), String(pid));
    setFrozen(freezer.frozen);
    await scene.seen([], []);
    setFrozen(freezer.thawed);
    await scene.seen(['n1'], []);
    watched(t, await scene.observer.stop());
  });

  t.test(
    'a machine without power has neither service nor address; a new life is seen',
    async (t) => {
      const scene = await Scene.set(t);
      await scene.hold('n1');
      await scene.serve('n1');
      await scene.seen(['n1'], ['n1']);
      await scene.network.powerOff('n1');
      await scene.seen([], []);
      await scene.network.boot('n1');
      await scene.hold('n1');
      await scene.serve('n1');
      await scene.seen(['n1'], ['n1']);
      const report = await scene.observer.stop();
      watched(t, report);
      t.same(report.violations, []);
      t.equal(report.summary.services.length, 2);
    },
  );

  t.test('who announces the address is recorded', async (t) => {
    const scene = await Scene.set(t);
    // Told so, the kernel itself announces its addresses when the card gets one.
    const always = ['sh', '-c', 'echo 1 >/proc/sys/net/ipv4/conf/eth0/arp_notify'];
    await scene.network.run('n2', always);
    await scene.hold('n2');
    const sameCard = ['address', scene.network.macOf('n2')];
    await scene.network.run('n2', ['ip', 'link', 'set', 'dev', 'eth0', ...sameCard]);
    await scene.observer.until('announced', (view) => (view.announcements.get('n2') ?? 0) > 0);
    const { summary } = await scene.observer.stop();
    t.match(summary.announcements[0], { machine: 'n2', mac: scene.network.macOf('n2') });
  });

  t.test('with every core busy it still samples in time, where it may have priority', async (t) => {
    const scene = await Scene.set(t);
    await scene.hold('n1');
    await scene.serve('n1');
    await scene.seen(['n1'], ['n1']);
    for (let loop = 0; loop < 2 * availableParallelism(); loop += 1) {
      scene.network.exec('n2', ['sh', '-c', 'while :; do :; done']);
    }
    await scene.observer.more(200);
    const report = await scene.observer.stop();
    const { longestGapMs, priority } = report.summary;
    t.comment(`longest gap ${longestGapMs} ms, priority ${priority}`);
    if (priority === 'fifo') watched(t, report);
    else t.equal(report.summary.void, longestGapMs > 100, 'and says so when it was not');
    t.same(report.violations, []);
  });

  t.test('an observer that was stopped for 300 ms makes the run void', async (t) => {
    const scene = await Scene.set(t);
    await scene.hold('n1');
    await scene.seen([], ['n1']);
    process.kill(scene.observer.pid, 'SIGSTOP');
    await lasting(300);
    process.kill(scene.observer.pid, 'SIGCONT');
    await scene.observer.more(10);
    const { summary, violations, exitCode } = await scene.observer.stop();
    t.equal(summary.void, true);
    t.ok(summary.longestGapMs >= 290, `longest gap ${summary.longestGapMs} ms`);
    t.ok(summary.longestAddressGapMs >= 290 && summary.longestServiceGapMs >= 290);
    t.same(violations, [], 'void, not passed, and not a false alarm either');
    t.equal(exitCode, 3);
  });
}
