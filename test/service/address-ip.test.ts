/**
 * The shared IP on real interfaces: who holds it is judged by an observer that asks
 * for it from outside.
 */

import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { enterLab } from '../lab/enter-lab.ts';
import { ended } from '../lab/machine.ts';
import { CLIENT, LabNetwork } from '../lab/network.ts';
import { ObserverClient } from '../lab/observer-client.ts';
import { signalProcess } from '../lab/processes.ts';
import { builtProgram } from '../lab/project-files.ts';
import { lasting, until } from '../lab/until.ts';

const ADDRESS = '10.77.0.100';

interface Seen {
  readonly state: string;
  readonly isHeld: boolean;
  readonly announcements: number;
  readonly expiry: string;
  readonly note?: string;
  readonly problem?: string;
  readonly endMs: number;
}

/** The driver in a process on one machine. */
class Holder {
  readonly seen: Seen[] = [];
  readonly child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.child = child;
    if (child.stdout === null) throw new Error('no output');
    createInterface({ input: child.stdout }).on('line', (line) => this.seen.push(JSON.parse(line)));
    child.stdin?.on('error', () => undefined);
  }

  static on(network: LabNetwork, name: string, ...more: string[]): Promise<Holder> {
    const program = builtProgram('test/service/address-holder.ts');
    return Holder.by(network, name, [process.execPath, program, ADDRESS, 'eth0', ...more]);
  }

  static async by(network: LabNetwork, name: string, argv: readonly string[]): Promise<Holder> {
    const holder = new Holder(network.exec(name, argv, { stdio: ['pipe', 'pipe', 'inherit'] }));
    await until('the driver is made', () => holder.seen.length > 0);
    return holder;
  }

  get last(): Seen | undefined {
    return this.seen.at(-1);
  }

  tell(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  async held(isHeld = true): Promise<void> {
    await until(isHeld ? 'held' : 'not held', () => this.last?.isHeld === isHeld);
  }

  async did(line: string): Promise<Seen> {
    const from = this.seen.length;
    this.tell(line);
    const [verb = ''] = line.split(' ');
    const done = () => this.seen.slice(from).find(({ state }) => state === `did ${verb}`);
    return until(`did ${line}`, done);
  }
}

interface Scene {
  readonly network: LabNetwork;
  readonly observer: ObserverClient;
}

async function sceneOf(t: Test, nodes: number): Promise<Scene> {
  const network = await LabNetwork.up({ nodes });
  t.teardown(() => network.down());
  const observer = await ObserverClient.start(network, { address: ADDRESS, marker: 'no-service' });
  return { network, observer };
}

function holdersAre({ observer }: Scene, names: readonly string[]): Promise<void> {
  return observer.until(`held by [${names}]`, ({ holders }) => {
    return holders.size === names.length && names.every((name) => holders.has(name));
  });
}

async function ruleset(scene: Scene, name: string): Promise<string> {
  return scene.network.run(name, ['nft', 'list', 'ruleset']);
}

async function addresses(scene: Scene, name: string): Promise<string> {
  return scene.network.run(name, ['ip', '-o', 'address', 'show']);
}

/** A program on a machine, line by line. */
function linesOf(network: LabNetwork, name: string, program: string) {
  const child = network.exec(name, [process.execPath, program]);
  if (child.stdout === null) throw new Error('no output');
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  return { lines, send: (line: string) => child.stdin?.write(`${line}\n`) };
}

function killAll(scene: Scene, name: string): void {
  for (const { pid } of scene.network.processes(name)) signalProcess(pid, 'SIGKILL');
}

if (await enterLab(t, import.meta.filename)) {
  t.test(
    'an address is taken, announced, renewed for longer than asked, and dropped',
    async (t) => {
      const scene = await sceneOf(t, 1);
      const holder = await Holder.on(scene.network, 'n1');
      t.equal(holder.last?.expiry, 'exact');
      holder.tell('keep 600 100');
      await holder.held();
      await holdersAre(scene, ['n1']);
      t.match(await addresses(scene, 'n1'), /10\.77\.0\.100\/24.* dynamic /);
      await scene.observer.until(
        'three announcements in both forms',
        ({ announcements }) => (announcements.get('n1') ?? 0) >= 6,
      );
      await until('it counts them', () => (holder.last?.announcements ?? 0) >= 3);
      const samples = scene.observer.view.samples;
      // More than three leases, all of them answered.
      await scene.observer.until('time passes', (view) => view.samples > samples + 250);
      t.ok(scene.observer.view.holders.has('n1'));
      const done = await holder.did('drop');
      t.match(done, { isHeld: false });
      await holdersAre(scene, []);
      t.notMatch(await addresses(scene, 'n1'), /10\.77\.0\.100/);
      const { summary } = await scene.observer.stop();
      t.equal(summary.void, false, 'the observer saw all of it');
      t.equal(summary.holders.length, 1, 'held without a break');
      t.ok(summary.announcements.some(({ kind }) => kind === 'request'));
      t.ok(summary.announcements.some(({ kind }) => kind === 'reply'));
      await holder.did('close');
      t.equal(await ruleset(scene, 'n1'), '', 'nothing is left in the packet filter');
    },
  );

  t.test('nobody is answered after the end of a hold when its process was killed', async (t) => {
    const scene = await sceneOf(t, 1);
    const holder = await Holder.on(scene.network, 'n1');
    holder.tell('keep 900 100');
    await holder.held();
    await holdersAre(scene, ['n1']);
    killAll(scene, 'n1');
    await ended(holder.child);
    await until('all its words are read', () => holder.child.stdout?.readableEnded === true);
    const endMs = Math.max(...holder.seen.map((seen) => seen.endMs));
    t.match(await addresses(scene, 'n1'), /10\.77\.0\.100/, 'the address is still there');
    await holdersAre(scene, []);
    const { summary } = await scene.observer.stop();
    t.equal(summary.void, false, 'the observer saw all of it');
    const lastMs = Math.max(...summary.holders.map(({ toMs }) => toMs));
    t.comment(`last answer ${(endMs - lastMs).toFixed(1)} ms before the end`);
    t.ok(lastMs <= endMs, 'not after the end');
    // A kill right before a renewal takes one lease less what had passed of it.
    t.ok(lastMs >= endMs - 100 - 150, 'and not long before it');
    await until(
      'the kernel removes the address as well',
      async () => !(await addresses(scene, 'n1')).includes(ADDRESS),
    );
  });

  t.test('a neighbour that still knows the way is heard up to the end, not later', async (t) => {
    const scene = await sceneOf(t, 1);
    const { network } = scene;
    const peer = builtProgram('test/lab/datagram-peer.ts');
    const [server, client] = ['n1', CLIENT].map((name) => linesOf(network, name, peer));
    await until(
      'both are ready',
      () => server?.lines[0] === 'ready' && client?.lines[0] === 'ready',
    );
    const way = ['lladdr', network.macOf('n1'), 'nud', 'permanent', 'dev', 'eth0'];
    await network.run(CLIENT, ['ip', 'neighbour', 'replace', ADDRESS, ...way]);
    const holder = await Holder.on(network, 'n1');
    holder.tell('keep 800 100');
    await holder.held();
    await holdersAre(scene, ['n1']);
    await until('the client is heard', () => {
      client?.send(`${ADDRESS} held`);
      return server?.lines.includes('held');
    });
    const programs = network.processes('n1').filter(({ argv }) => argv.includes(ADDRESS));
    for (const { pid } of programs) signalProcess(pid, 'SIGKILL');
    await holdersAre(scene, []);
    t.match(await addresses(scene, 'n1'), /10\.77\.0\.100/, 'the address is still there');
    client?.send(`${ADDRESS} late`);
    await until('it was sent', () => client?.lines.includes('sent late'));
    await until('the machine itself hears', () => {
      client?.send(`${network.addressOf('n1')} own`);
      return server?.lines.includes('own');
    });
    t.notOk(server?.lines.includes('late'));
  });

  t.test('what a killed run left is gone before the next one says that it is made', async (t) => {
    const scene = await sceneOf(t, 1);
    const first = await Holder.on(scene.network, 'n1');
    first.tell('hold 20000');
    await first.held();
    await holdersAre(scene, ['n1']);
    killAll(scene, 'n1');
    await ended(first.child);
    await scene.observer.more(20);
    t.ok(scene.observer.view.holders.has('n1'), 'the kernel alone holds it');
    const second = await Holder.on(scene.network, 'n1');
    t.match(second.last, { isHeld: false });
    t.notMatch(await addresses(scene, 'n1'), /10\.77\.0\.100/);
    t.notMatch(await ruleset(scene, 'n1'), /elements/);
    await holdersAre(scene, []);
    second.tell('hold 20000');
    await holdersAre(scene, ['n1']);
  });

  t.test('a stopped process holds nothing after its time, and knows when it goes on', async (t) => {
    const scene = await sceneOf(t, 1);
    const holder = await Holder.on(scene.network, 'n1');
    holder.tell('hold 700');
    await holder.held();
    await holdersAre(scene, ['n1']);
    const stopped = scene.network.processes('n1').map(({ pid }) => pid);
    for (const pid of stopped) signalProcess(pid, 'SIGSTOP');
    await holdersAre(scene, []);
    for (const pid of stopped) signalProcess(pid, 'SIGCONT');
    await holder.held(false);
    t.notMatch(await addresses(scene, 'n1'), /10\.77\.0\.100/);
    await scene.observer.more(20);
    t.equal(scene.observer.view.holders.size, 0);
  });

  t.test(
    'who asks and is answered does not take the address until the other is gone',
    async (t) => {
      const scene = await sceneOf(t, 2);
      const one = await Holder.on(scene.network, 'n1');
      const two = await Holder.on(scene.network, 'n2');
      one.tell('keep 1000 100');
      await one.held();
      two.tell('keep 1000 100');
      await until('it sees the other', () => two.last?.problem !== undefined);
      t.match(two.last, { isHeld: false, problem: /in use: 02:4d:52:00:00:0b answers/ });
      t.notMatch(await addresses(scene, 'n2'), /10\.77\.0\.100/);
      await one.did('drop');
      await two.held();
      t.equal(two.last?.problem, undefined);
      await holdersAre(scene, ['n2']);
      const { violations } = await scene.observer.stop();
      t.same(violations, []);
    },
  );

  t.test('an address that somebody removes is noticed, and taken again', async (t) => {
    const scene = await sceneOf(t, 1);
    const holder = await Holder.on(scene.network, 'n1');
    holder.tell('keep 1000 50');
    await holder.held();
    await scene.network.run('n1', ['ip', 'address', 'del', `${ADDRESS}/24`, 'dev', 'eth0']);
    await until('it notices', () => holder.last?.problem?.includes('vanished'));
    t.match(holder.last, { isHeld: false });
    await holder.held();
    await holdersAre(scene, ['n1']);
  });

  t.test('a firewall that is reloaded takes the guard away for one renewal at most', async (t) => {
    const scene = await sceneOf(t, 1);
    const holder = await Holder.on(scene.network, 'n1');
    holder.tell('keep 1000 50');
    await holder.held();
    await scene.network.run('n1', ['nft', 'flush', 'ruleset']);
    await until('it is back', async () => (await ruleset(scene, 'n1')).includes('elements'));
    t.match(holder.last, { isHeld: true, expiry: 'exact' });
    t.equal(holder.last?.problem, undefined);
  });

  t.test('without its interface nothing is held, and the drop of it fails nobody', async (t) => {
    const scene = await sceneOf(t, 1);
    const holder = await Holder.on(scene.network, 'n1');
    holder.tell('keep 1000 50');
    await holder.held();
    await scene.network.run('n1', ['ip', 'link', 'delete', 'dev', 'eth0']);
    await until('it notices', () => holder.last?.problem?.includes('no interface "eth0"'));
    t.match(holder.last, { isHeld: false });
    t.match(await holder.did('drop'), { isHeld: false });
    await holder.did('close');
  });

  t.test('a machine speaks from its own address while it holds the shared one', async (t) => {
    const scene = await sceneOf(t, 2);
    const holder = await Holder.on(scene.network, 'n1');
    holder.tell('hold 20000');
    await holder.held();
    const route = await scene.network.run('n1', ['ip', 'route', 'get', '10.77.0.12']);
    t.match(route, /src 10\.77\.0\.11/);
    const routes = await scene.network.run('n1', ['ip', 'route', 'show']);
    t.equal(routes.trim().split('\n').length, 1, 'no second way into the subnet');
    // Without an address of its own the shared one has to bring the way.
    await scene.network.run('n2', ['ip', 'address', 'flush', 'dev', 'eth0']);
    await holder.did('drop');
    const alone = await Holder.on(scene.network, 'n2');
    alone.tell('hold 20000');
    await alone.held();
    t.match(await scene.network.run('n2', ['ip', 'route', 'show']), /10\.77\.0\.0\/24 dev eth0/);
  });

  t.test('a process without the rights says which it needs, and holds nothing', async (t) => {
    const scene = await sceneOf(t, 1);
    const program = builtProgram('test/service/address-holder.ts');
    const without = ['setpriv', '--bounding-set', '-net_admin,-net_raw', '--inh-caps', '-all'];
    const argv = [...without, process.execPath, program, ADDRESS, 'eth0'];
    const holder = await Holder.by(scene.network, 'n1', argv);
    t.match(holder.last, { expiry: 'seconds', note: /EPERM/ });
    holder.tell('keep 1000 50');
    await until('it says so', () => holder.last?.problem !== undefined);
    t.match(holder.last, { isHeld: false, problem: /CAP_NET_ADMIN and CAP_NET_RAW/ });
    t.match(await holder.did('drop'), { isHeld: false });
  });

  t.test('where the kernel can not guard, its lifetime ends the address by seconds', async (t) => {
    const scene = await sceneOf(t, 1);
    const holder = await Holder.on(scene.network, 'n1', '--unguarded');
    t.match(holder.last, {
      expiry: 'seconds',
      note: /whole seconds: this kernel has no nf_tables/,
    });
    holder.tell('keep 3000 100');
    await holder.held();
    await holdersAre(scene, ['n1']);
    await lasting(1000);
    killAll(scene, 'n1');
    await ended(holder.child);
    await until('all its words are read', () => holder.child.stdout?.readableEnded === true);
    const endMs = Math.max(...holder.seen.map((seen) => seen.endMs));
    await holdersAre(scene, []);
    const { summary } = await scene.observer.stop();
    const lastMs = Math.max(...summary.holders.map(({ toMs }) => toMs));
    t.comment(`last answer ${(endMs - lastMs).toFixed(1)} ms before the end`);
    t.ok(lastMs <= endMs, 'not after the end');
    t.ok(lastMs >= endMs - 2200, 'and within the seconds before it');
  });
}
