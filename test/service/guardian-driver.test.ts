/**
 * The driver `command`: exactly one process is the service, it does not begin before it
 * is written down, and nothing of it is left when it is called stopped.
 */

import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { isAlive, type ProcessIdentity } from '../../src/platform/linux/processes.ts';
import { CommandDriver } from '../../src/service/driver/command.ts';
import { findProtection, WEAK_PROTECTION } from '../../src/service/driver/protection.ts';
import { isService } from '../lab/observer/process-line.ts';
import { until } from '../support/until.ts';
import { servicesOf, settingsFor, uniqueName } from './programs.ts';

class Rig {
  readonly name = uniqueName();
  readonly lines: string[] = [];
  readonly ends: string[] = [];
  readonly driver: CommandDriver;
  readonly written: (readonly ProcessIdentity[])[] = [];
  onStarting: () => Promise<void> = () => Promise.resolve();

  constructor(t: Test, protection = WEAK_PROTECTION, options: readonly string[] = []) {
    const argv = settingsFor({ dataDir: '/', name: this.name, options }).service.start;
    this.driver = new CommandDriver(
      {
        node: 'n1',
        argv,
        protection,
        onStarting: (processes) => {
          this.written.push(processes);
          return this.onStarting();
        },
      },
      {
        onChange: () => undefined,
        onEnded: (how) => this.ends.push(how),
        onLine: (line) => this.lines.push(line),
      },
    );
    const looks = setInterval(() => this.driver.look(), 20);
    t.teardown(async () => {
      this.driver.kill();
      await until(() => this.driver.state === 'stopped', 'the driver stopped');
      clearInterval(looks);
    });
  }

  async untilUp(): Promise<void> {
    await until(() => this.lines.some((line) => line.startsWith('up as')), 'the service is up');
    await until(() => this.driver.state === 'running', 'the driver has found it');
  }
}

/** Processes that the lab's observer takes for the service. */
function observed(name: string): number[] {
  const markers = [Buffer.from('test-service.js')];
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0)
    .filter((pid) => {
      const line = commandLineOf(pid);
      return line.includes(name) && isService(line, line.length, markers);
    });
}

function commandLineOf(pid: number): Buffer {
  try {
    return readFileSync(`/proc/${pid}/cmdline`);
  } catch {
    // It ended between the two looks.
    return Buffer.alloc(0);
  }
}

for (const protection of [await findProtection(), WEAK_PROTECTION]) {
  const { kind } = protection;

  t.test(`${kind}: one process is the service, for every observer`, async (t) => {
    const rig = new Rig(t, protection);
    rig.driver.start(1);
    t.equal(rig.driver.state, 'starting');
    await rig.untilUp();
    t.same(servicesOf(rig.name), [rig.driver.pid]);
    t.same(observed(rig.name), [rig.driver.pid]);
    t.same(rig.written, [rig.driver.processes], 'it was written down once, before it began');
    t.ok(rig.driver.processes.every(isAlive));
  });

  t.test(`${kind}: asked to stop it stops, and says how`, async (t) => {
    const rig = new Rig(t, protection);
    rig.driver.start(1);
    await rig.untilUp();
    rig.driver.terminate();
    await until(() => rig.driver.state === 'stopped', 'it stopped');
    t.same(rig.ends, ['with exit code 0']);
    t.same(servicesOf(rig.name), []);
    rig.driver.start(2);
    await until(() => rig.lines.some((line) => line.includes('epoch 2')), 'it runs again');
  });

  t.test(`${kind}: a deaf one is killed, with all that is its own`, async (t) => {
    const rig = new Rig(t, protection, ['--ignore-term']);
    rig.driver.start(1);
    await rig.untilUp();
    const { processes } = rig.driver;
    rig.driver.terminate();
    rig.driver.kill();
    await until(() => rig.driver.state === 'stopped', 'it stopped');
    t.notOk(processes.some(isAlive));
    t.same(servicesOf(rig.name), []);
  });

  t.test(`${kind}: what can not be written down does not begin`, async (t) => {
    const rig = new Rig(t, protection);
    rig.onStarting = () => Promise.reject(new Error('no space'));
    rig.driver.start(1);
    await until(() => rig.driver.state === 'stopped', 'it ended');
    t.match(rig.lines, ['the service is not started: no space']);
    t.equal(rig.lines.length, 1);
  });

  t.test(`${kind}: asked to stop before it began it never begins`, async (t) => {
    const rig = new Rig(t, protection);
    rig.onStarting = async () => rig.driver.terminate();
    rig.driver.start(1);
    await until(() => rig.driver.state === 'stopped', 'it ended');
    t.same(rig.lines, []);
    t.same(servicesOf(rig.name), []);
  });
}

t.test('weak: the kernel ends the service with its parent', async (t) => {
  const name = uniqueName();
  const script = fileURLToPath(new URL('./test-driver.js', import.meta.url));
  const parent = spawn(process.execPath, [script, name, '--ignore-term'], { stdio: 'inherit' });
  t.teardown(() => parent.kill('SIGKILL'));
  await until(() => servicesOf(name).length === 1, 'the service runs');
  parent.kill('SIGKILL');
  await until(() => servicesOf(name).length === 0, 'it is gone', 1000);
  t.same(servicesOf(name), []);
});

t.test('lines without end are cut, and the last one is not lost', async (t) => {
  const rig = new Rig(t);
  const lines: string[] = [];
  const driver = new CommandDriver(
    {
      node: 'n1',
      argv: [process.execPath, '-e', 'process.stdout.write("x".repeat(10_000) + "\\nlast")'],
      protection: WEAK_PROTECTION,
      onStarting: () => Promise.resolve(),
    },
    { onChange: () => undefined, onEnded: () => undefined, onLine: (line) => lines.push(line) },
  );
  driver.start(1);
  await until(() => lines.includes('last'), 'the last line came');
  t.same(
    lines.map(({ length }) => length),
    [4096, 4096, 1808, 4],
  );
  t.equal(rig.lines.length, 0);
});
