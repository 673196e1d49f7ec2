/**
 * The whole thing in namespaces: three machines, a real shared address, a client that
 * delivers mail all the time, and the observer. Each case disturbs the primary; then
 * another node serves, the disturbed one comes back as a secondary by itself, and no
 * answered mail is gone. Takes about a minute and a half.
 */

import t, { type Test } from 'tap';
import { enterLab } from './enter-lab.ts';
import { FailoverScene } from './failover-scene.ts';
import { type ObserverReport, objectionsTo } from './observer-client.ts';
import { type LabProcess, signalProcess } from './processes.ts';
import { canBlockOneWay, type Requirement } from './requirements.ts';
import { lasting } from './until.ts';

/** Longer than the lease of the timing `fast`. */
const STOPPED_MS = 2_000;
const RUN_MS_MAX = 280_000;

interface Case {
  readonly name: string;
  /** Makes the primary lose its place. */
  disturb(scene: FailoverScene, node: string): Promise<void>;
  /** What a person or a supervisor does afterwards; the node does the rest. */
  mend?(scene: FailoverScene, node: string): Promise<void>;
  /** All that was answered before it moves: salvage is no excuse. */
  readonly isPlanned?: boolean;
  /** What this machine has to be able to, besides what every case takes. */
  readonly requirement?: () => Requirement;
}

function processOf(found: LabProcess | undefined): number {
  if (found === undefined) throw new Error('there is no such process');
  return found.pid;
}

async function startAgain({ cluster }: FailoverScene, node: string): Promise<void> {
  cluster.start(node);
}

const CASES: readonly Case[] = [
  {
    name: 'planned switchover',
    isPlanned: true,
    disturb: ({ cluster }) => cluster.switchOver(),
  },
  {
    name: 'SIGKILL of the daemon',
    disturb: async ({ cluster }, node) =>
      signalProcess(processOf(cluster.daemonOf(node)), 'SIGKILL'),
    mend: startAgain,
  },
  {
    name: 'SIGKILL of daemon and guardian',
    disturb: async ({ cluster }, node) => {
      const pids = [cluster.guardianOf(node), cluster.daemonOf(node)].map(processOf);
      for (const pid of pids) signalProcess(pid, 'SIGKILL');
    },
    mend: startAgain,
  },
  {
    name: 'SIGKILL of everything of the node',
    disturb: ({ cluster }, node) => cluster.network.killEverything(node),
    mend: startAgain,
  },
  {
    name: 'power failure',
    disturb: ({ cluster }, node) => cluster.network.powerOff(node),
    mend: async (scene, node) => {
      await scene.cluster.network.boot(node);
      scene.cluster.start(node);
    },
  },
  {
    name: 'SIGSTOP of the daemon for longer than the lease, then SIGCONT',
    disturb: async ({ cluster }, node) => {
      signalProcess(processOf(cluster.daemonOf(node)), 'SIGSTOP');
      await lasting(STOPPED_MS);
    },
    mend: async ({ cluster }, node) => signalProcess(processOf(cluster.daemonOf(node)), 'SIGCONT'),
  },
  {
    name: 'a cut cable that heals',
    disturb: ({ cluster }, node) => cluster.network.cut(node),
    mend: ({ cluster }, node) => cluster.network.heal(node),
  },
  {
    name: 'a node that only clients can reach, until the others can again',
    requirement: canBlockOneWay,
    disturb: async ({ cluster }, node) => {
      for (const other of cluster.nodes.filter((id) => id !== node)) {
        await cluster.network.blockOneWay({ from: node, to: other });
        await cluster.network.blockOneWay({ from: other, to: node });
      }
    },
    mend: ({ cluster }) => cluster.network.unblock(),
  },
];

t.setTimeout(RUN_MS_MAX);

/** Milliseconds of the clock that all processes of the machine share. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** @param aside what earlier cases brought into salvage; this case adds to it */
async function play(t: Test, scene: FailoverScene, one: Case, aside: Set<string>): Promise<void> {
  const { cluster, load } = scene;
  const node = await cluster.untilPrimary();
  const { covered } = await scene.barrier(node);
  const atMs = monotonicMs();
  await one.disturb(scene, node);
  const primary = await scene.untilServing(node);
  await load.more(20);
  const outage = await load.outage(atMs);
  t.ok(outage, 'clients are served again');
  t.comment(`${node} was primary, ${primary} is; outage ${Math.round(outage?.gapMs ?? 0)} ms`);

  await one.mend?.(scene, node);
  await scene.untilRejoined(node);
  t.equal(await cluster.untilPrimary(), primary, 'whoever comes back takes nothing away');

  const { everywhere, salvaged, lost } = await scene.whereabouts(primary);
  t.same(idsOf(lost), [], 'no answered mail is gone');
  const fresh = idsOf(salvaged).filter((id) => !aside.has(id));
  t.comment(`${everywhere.length} mails on all nodes, ${fresh.length} more in salvage`);
  const safe = one.isPlanned ? everywhere.concat(salvaged) : covered;
  const freshAndSafe = idsOf(safe).filter((id) => fresh.includes(id));
  t.same(freshAndSafe, [], 'what was committed, or moved by plan, is on all nodes');
  for (const id of fresh) aside.add(id);
}

function idsOf(messages: readonly { readonly id: string }[]): string[] {
  return messages.map(({ id }) => id);
}

/** What the observer saw in all, printed whether or not it is good. */
function judge(t: Test, report: ObserverReport): void {
  const { samples, longestGapMs, priority, doubleService, doubleAddress } = report.summary;
  t.comment(`observer: ${samples} samples, longest gap ${longestGapMs} ms, priority ${priority}`);
  t.comment(`observer: doubleService ${doubleService}, doubleAddress ${doubleAddress}`);
  t.same(objectionsTo(report), [], 'no moment with two services or two holders');
  t.equal(report.exitCode, 0);
}

if (await enterLab(t, import.meta.filename)) {
  t.test('the service survives whatever befalls its node', { timeout: RUN_MS_MAX }, async (t) => {
    const scene = await FailoverScene.set();
    t.teardown(async () => {
      if (!t.passing()) for (const line of scene.logTails()) t.comment(line);
      await scene.down();
    });
    const aside = new Set<string>();
    for (const one of CASES) {
      // The next one would only tell of what this one left.
      if (!t.passing()) break;
      const can = one.requirement?.() ?? { ok: true };
      const skip = can.ok ? false : can.reason;
      await t.test(one.name, { skip }, (t) => play(t, scene, one, aside));
    }
    const { answered, unknown, forgottenCount } = await scene.rest();
    t.comment(`${answered.length} mails answered, ${unknown.length} without an answer`);
    t.equal(forgottenCount, 0, 'the account is whole');
    t.same(idsOf((await scene.find(answered)).lost), [], 'no answered mail is gone');
    t.same(await scene.differences(), [], 'all trees are equal');
    judge(t, await scene.observer.stop());
  });
}
