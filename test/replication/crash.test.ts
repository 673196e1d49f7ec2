/**
 * A follower that is killed with SIGKILL while it carries out renames, swaps and moved
 * directories ends right after its next start: its tree is the primary's, nothing is
 * missing, and nothing of the cluster's is taken for its own (safety rules 11 and 12).
 */

import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { SalvageStore } from '../../src/replication/salvage/salvage-store.ts';
import { scratch } from '../support/scratch.ts';
import { until } from '../support/until.ts';
import type { HostReport, ToHost } from './follower-host.ts';
import { Group, type GroupNode } from './group.ts';
import { randomFrom, Vandal } from './vandal.ts';

const ROUNDS = 8;
const OPERATIONS = 150;
/** The whole of a round is carried out in about this time. */
const KILL_WITHIN_MS = 80;

/** The follower's process, as long as it lives. */
class Host {
  readonly #process: ChildProcess;
  readonly #group: Group;
  #sent = 0;
  report: HostReport | undefined;

  constructor(group: Group, { name, path, dataDir, journalBytesMax }: GroupNode) {
    this.#group = group;
    this.#process = fork(new URL('./follower-host.js', import.meta.url), {
      serialization: 'advanced',
    });
    this.#process.on('message', (report: HostReport) => {
      this.report = report;
    });
    const volumes = [{ number: 1, name: 'mail', path, exclude: [] }];
    const journal = { firstIndex: 1, lastIndex: Number.MAX_SAFE_INTEGER };
    const options = { node: name, dataDir, volumes, journalBytesMax, journal };
    this.#tell({ kind: 'open', options });
  }

  get isAlive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Gives it everything that is committed by now. */
  deliver(): void {
    const entries = this.#group.log
      .slice(this.#sent, this.#group.committed)
      .map(({ index, term, data }) => ({ index, term, data }));
    this.#sent = this.#group.committed;
    this.#tell({ kind: 'log', entries });
  }

  /** What it finds on its disk is brought to where the log is by now. */
  settle(): void {
    this.deliver();
    this.#tell({ kind: 'settle', index: this.#group.committed });
  }

  async caughtUp(): Promise<void> {
    const { committed } = this.#group;
    await until(
      () => {
        if (!this.isAlive) throw new Error('the host died by itself');
        const { report } = this;
        return report !== undefined && report.index >= committed && report.mode === 'following';
      },
      () => `the host takes everything: ${JSON.stringify(this.report)}`,
      20_000,
    );
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await until(() => !this.isAlive, 'the host is gone');
  }

  #tell(message: ToHost): void {
    this.#process.send(message);
  }
}

// The machine may be busy with other things.
t.setTimeout(120_000);

t.test('a follower killed at any moment has the same tree after its next start', async (t) => {
  const seed = Number(process.env['SEED'] ?? 1 + Math.floor(Math.random() * 2 ** 30));
  t.comment(`SEED=${seed}`);
  const random = randomFrom(seed);
  const where = scratch(t);
  const group = new Group(where, ['a', 'b', 'c']);
  const [a, b] = [group.of('a'), group.of('b')];
  const vandal = new Vandal(a.path, random);
  for (const name of ['d0', 'd1', 'd0/d2']) mkdirSync(join(a.path, name));
  await group.found('a');
  await b.stop();
  await group.serve('a');
  let host = new Host(group, b);
  where.onClose(() => host.kill());
  host.settle();
  await host.caughtUp();
  let cutShort = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let at = 0; at < OPERATIONS; at += 1) vandal.act();
    await group.covered();
    const { promise: killed } = killSoon(host, random(KILL_WITHIN_MS));
    host.deliver();
    await killed;
    if ((host.report?.index ?? 0) < group.committed) cutShort += 1;
    host = new Host(group, b);
    host.settle();
    await host.caughtUp();
    const about = `round ${round}`;
    t.same(await group.differences('a', 'c'), [], `${about}: equal trees of who lives on`);
    t.same(await group.differences('a', 'b'), [], `${about}: equal trees`);
    t.equal(host.report?.treeHash, a.running.status.volumes[0]?.treeHash, `${about}: equal hashes`);
    t.equal(host.report?.missing, 0, `${about}: nothing missing`);
    t.same(salvagedAt(b), [], `${about}: nothing taken for its own`);
  }
  t.comment(`${cutShort} of ${ROUNDS} kills came before the end`);
  t.ok(cutShort > 0, 'some kills came before everything was applied');
});

function salvagedAt({ dataDir }: GroupNode): readonly string[] {
  const store = new SalvageStore(join(dataDir, 'salvage'), 'reader');
  return store
    .list()
    .flatMap(({ files }) => files.map(({ path, type, bytes }) => `${type} ${path} ${bytes}`));
}

function killSoon(host: Host, afterMs: number): { readonly promise: Promise<void> } {
  return {
    promise: new Promise((resolve, reject) => {
      setTimeout(() => host.kill().then(resolve, reject), afterMs);
    }),
  };
}
