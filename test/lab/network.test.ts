/** The lab's network: machines are apart, faults are what they are called, nothing stays behind. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { enterLab } from './enter-lab.ts';
import { ended } from './machine.ts';
import { CLIENT, LabNetwork } from './network.ts';
import { childrenOf, lookAt, signalProcess } from './processes.ts';
import { builtProgram } from './project-files.ts';
import { canBlockOneWay } from './requirements.ts';
import { until } from './until.ts';

async function labOf(t: Test, nodes: number): Promise<LabNetwork> {
  const network = await LabNetwork.up({ nodes });
  t.teardown(() => network.down());
  return network;
}

/** A machine's end of datagrams. */
class Peer {
  readonly received: string[] = [];
  readonly #child: ChildProcess;
  #sent = 0;

  constructor(network: LabNetwork, name: string) {
    const program = builtProgram('test/lab/datagram-peer.ts');
    this.#child = network.exec(name, [process.execPath, program]);
    if (this.#child.stdout === null) throw new Error('no output');
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.received.push(line));
  }

  send(address: string, text: string): void {
    this.#child.stdin?.write(`${address} ${text}\n`);
  }

  /** Sends once, into whatever there is. */
  async sendOnce(address: string, text: string): Promise<void> {
    this.send(address, text);
    await until('it was sent', () => this.received.includes(`sent ${text}`));
  }

  /** Sends until one arrives: the way is open. */
  async reaches(to: Peer, address: string): Promise<void> {
    this.#sent += 1;
    const text = `${this.#child.pid}:${this.#sent}`;
    await until('a datagram arrives', () => {
      this.send(address, text);
      return to.received.includes(text);
    });
  }

  get isReady(): boolean {
    return this.received.includes('ready');
  }
}

async function peersOn<Name extends string>(
  network: LabNetwork,
  names: readonly Name[],
): Promise<Record<Name, Peer>> {
  const peers = names.map((name) => [name, new Peer(network, name)] as const);
  await until('the peers are ready', () => peers.every(([, peer]) => peer.isReady));
  return Object.fromEntries(peers) as Record<Name, Peer>;
}

/** Everything of this computer that a lab could leave behind. */
function links(): string[] {
  return readdirSync('/sys/class/net').sort();
}

/** Pids in any of these namespaces. */
function inhabitants(spaces: ReadonlySet<string>): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      if (!Number.isInteger(pid)) return false;
      try {
        return ['pid', 'net'].some((kind) => spaces.has(readlinkSync(`/proc/${pid}/ns/${kind}`)));
      } catch {
        // Gone, or not ours to look at; what the lab starts is ours.
        return false;
      }
    });
}

if (await enterLab(t, import.meta.filename)) {
  t.test(
    'machines have their own names, processes and network, and reach each other',
    async (t) => {
      const before = links();
      const network = await labOf(t, 2);
      t.same(links(), before, 'the network of this computer is as it was');
      t.equal((await network.run('n2', ['hostname'])).trim(), 'n2');
      const interfaces = (await network.run('n1', ['ls', '/sys/class/net'])).trim().split(/\s+/);
      t.same(
        interfaces.filter((name) => ['lo', 'eth0'].includes(name)),
        ['eth0', 'lo'],
      );
      t.match(await network.run('n1', ['cat', '/proc/1/comm']), /^cat$/m);
      t.match(await network.run('n1', ['cat', '/sys/class/net/eth0/address']), network.macOf('n1'));
      const { n1, n2, client } = await peersOn(network, ['n1', 'n2', CLIENT]);
      await n1.reaches(n2, '10.77.0.12');
      await n2.reaches(n1, '10.77.0.11');
      await client.reaches(n1, '10.77.0.11');
      await n1.reaches(client, '10.77.0.50');
    },
  );

  t.test('a cut machine is alone until its cable heals', async (t) => {
    const network = await labOf(t, 2);
    const { n1, n2, client } = await peersOn(network, ['n1', 'n2', CLIENT]);
    await n1.reaches(n2, network.addressOf('n2'));
    await network.cut('n1');
    t.match(await network.run('n1', ['ip', 'link', 'show', 'eth0']), /NO-CARRIER/);
    await n1.sendOnce(network.addressOf('n2'), 'lost');
    await client.reaches(n2, network.addressOf('n2'));
    t.notOk(n2.received.includes('lost'), 'only the others still reach each other');
    await network.heal('n1');
    await n1.reaches(n2, network.addressOf('n2'));
  });

  const nft = canBlockOneWay();
  const oneWay = nft.ok ? {} : { skip: nft.reason };
  t.test('a one-way fault takes one direction only', oneWay, async (t) => {
    const network = await labOf(t, 2);
    const { n1, n2, client } = await peersOn(network, ['n1', 'n2', CLIENT]);
    await n1.reaches(n2, network.addressOf('n2'));
    await n2.reaches(n1, network.addressOf('n1'));
    await network.blockOneWay({ from: 'n1', to: 'n2' });
    await n1.sendOnce(network.addressOf('n2'), 'lost');
    await n2.reaches(n1, network.addressOf('n1'));
    await n1.reaches(client, network.addressOf(CLIENT));
    await client.reaches(n2, network.addressOf('n2'));
    t.notOk(n2.received.includes('lost'));
    await network.unblock({ from: 'n1', to: 'n2' });
    await n1.reaches(n2, network.addressOf('n2'));
    t.notOk(n2.received.includes('lost'));
  });

  t.test('a power failure takes everything at once, and the machine boots again', async (t) => {
    const network = await labOf(t, 2);
    writeFileSync(join(network.directoryOf('n1'), 'kept'), 'on disk');
    // One in a session of its own that nobody waits for, one in a nested pid namespace.
    await network.run('n1', ['sh', '-c', 'setsid sleep 600 >/dev/null 2>&1 </dev/null &']);
    const nested = network.exec('n1', ['unshare', '--pid', '--fork', 'sleep', '601']);
    const sleepers = await until('both run', () => {
      const found = network.processes('n1').filter(({ argv }) => argv[0] === 'sleep');
      return found.length === 2 && found;
    });
    await network.run('n1', ['ip', 'address', 'add', '10.77.0.100/24', 'dev', 'eth0']);
    await network.powerOff('n1');
    t.same(
      sleepers.map(({ pid }) => lookAt(pid)),
      [undefined, undefined],
    );
    await ended(nested);
    t.same(network.processes('n1'), []);
    t.throws(() => network.machine('n1').initPid, /n1 is off/);

    await network.boot('n1');
    t.notMatch(await network.run('n1', ['ip', 'address']), /10\.77\.0\.100/);
    t.match(await network.run('n1', ['cat', '/sys/class/net/eth0/address']), network.macOf('n1'));
    t.equal(readFileSync(join(network.directoryOf('n1'), 'kept'), 'utf8'), 'on disk');
    const { n1, n2 } = await peersOn(network, ['n1', 'n2']);
    await n1.reaches(n2, network.addressOf('n2'));
  });

  t.test('killing everything leaves the kernel with its addresses, and no zombies', async (t) => {
    const network = await labOf(t, 1);
    await network.run('n1', ['ip', 'address', 'add', '10.77.0.100/24', 'dev', 'eth0']);
    const child = network.exec('n1', ['sh', '-c', 'sleep 600 & sleep 601 & wait']);
    await until('three run', () => network.processes('n1').length === 3);
    await network.killEverything('n1');
    await ended(child);
    await until('orphans are reaped', () => network.processes('n1').length === 0);
    t.match(await network.run('n1', ['ip', 'address']), /10\.77\.0\.100/);
  });

  t.test('a stopped process that goes on reports its end', async (t) => {
    const network = await labOf(t, 1);
    const child = network.exec('n1', ['sleep', '600']);
    const [inner = 0] = await until('it runs', () => {
      const found = network.processes('n1').filter(({ argv }) => argv[0] === 'sleep');
      return found.length === 1 && found.map(({ pid }) => pid);
    });
    t.same(childrenOf(child.pid ?? 0), [inner], 'the one that exec started');
    signalProcess(inner, 'SIGSTOP');
    await until('both are stopped', () =>
      [inner, child.pid ?? 0].every((pid) => lookAt(pid)?.state === 'T'),
    );
    signalProcess(inner, 'SIGCONT');
    await until('it sleeps again', () => lookAt(inner)?.state === 'S');
    signalProcess(inner, 'SIGTERM');
    await ended(child);
    t.equal(child.signalCode, 'SIGTERM');
  });

  t.test('nothing is left when the lab is down, stopped processes included', async (t) => {
    const before = links();
    const network = await LabNetwork.up({ nodes: 2 });
    t.teardown(() => network.down());
    const spaces = new Set(
      network.machines.flatMap((name) =>
        ['pid', 'net'].map((kind) =>
          readlinkSync(`/proc/${network.machine(name).initPid}/ns/${kind}`),
        ),
      ),
    );
    network.exec('n1', ['sleep', '600']);
    const onSwitch = network.execOnSwitch(['sleep', '602']);
    const [sleeper] = await until('it runs', () => {
      const found = network.processes('n1').filter(({ argv }) => argv[0] === 'sleep');
      return found.length === 1 && found;
    });
    signalProcess(sleeper?.pid ?? 0, 'SIGSTOP');
    t.ok(inhabitants(spaces).length >= 4, 'the check sees what runs');
    await network.down();
    t.same(inhabitants(spaces), []);
    t.ok(onSwitch.killed);
    t.notOk(existsSync(network.directory));
    t.same(links(), before);
  });

  t.test('a test that is killed takes its lab with it', async (t) => {
    const module = pathToFileURL(builtProgram('test/lab/network.ts')).href;
    const script = `
      const { LabNetwork } = await import(${JSON.stringify(module)});
      const network = await LabNetwork.up({ nodes: 1 });
      network.exec('n1', ['sleep', '600']);
      console.log(JSON.stringify({ pids: network.machines.map((name) => network.machine(name).initPid), directory: network.directory }));
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'], TMPDIR: t.testdir() },
    });
    t.teardown(() => child.kill('SIGKILL'));
    const line = await new Promise<string>((resolve) =>
      createInterface({ input: child.stdout }).once('line', resolve),
    );
    const { pids } = JSON.parse(line) as { pids: number[] };
    t.equal(pids.filter((pid) => lookAt(pid) !== undefined).length, 2);
    child.kill('SIGKILL');
    await ended(child);
    await until('both machines are gone', () => pids.every((pid) => lookAt(pid) === undefined));
    t.pass('gone');
  });
}
