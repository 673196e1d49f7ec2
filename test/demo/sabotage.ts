/** Ways to spoil a scripted run from outside, each of which its proof must notice. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DemoCluster } from '../../src/cli/demo/demo-cluster.ts';
import { until } from '../support/until.ts';

/** So many looks at /proc in a row: none of the sampler's own falls between them. */
const LOOKS = 20;

/** A follower's disk drops a message that was answered, covered and copied long ago. */
export async function dropOnFollower(cluster: DemoCluster): Promise<string> {
  const primary = await cluster.primary();
  const follower = cluster.ids.find((id) => id !== primary) ?? '';
  const name = earlyMessage(cluster);
  rmSync(join(cluster.node(follower).volume, name));
  return name;
}

/** A message that was answered goes from the primary, and by way of it from everywhere. */
export async function removeEverywhere(cluster: DemoCluster): Promise<string> {
  const primary = await cluster.primary();
  const name = earlyMessage(cluster);
  rmSync(join(cluster.node(primary ?? '').volume, name));
  const isGone = (): boolean =>
    cluster.layout.nodes.every(({ volume }) => !existsSync(join(volume, name)));
  await until(isGone, `${name} to be gone everywhere`);
  return name;
}

/** For a moment a second mail server runs for a node that is not primary. */
export async function runSecondService(cluster: DemoCluster): Promise<void> {
  const primary = await cluster.primary();
  const other = cluster.layout.nodes.find(({ id }) => id !== primary);
  const store = mkdtempSync(join(cluster.layout.folder, 'second-'));
  const listens = ['--smtp', '127.0.0.1:0', '--pop3', '127.0.0.1:0'];
  // The last --store is where it writes, the first one says whose service it is.
  const argv = [cluster.serverScript, '--store', other?.volume ?? '', '--store', store, ...listens];
  const second = spawn(process.execPath, argv, { stdio: 'ignore' });
  try {
    let looks = 0;
    await until(() => {
      looks = cluster.services().length > 1 ? looks + 1 : 0;
      return looks >= LOOKS;
    }, 'two services to run');
  } finally {
    await end(second);
  }
}

/** By their names, which begin with the time: one of the first that were received. */
function earlyMessage(cluster: DemoCluster): string {
  const [{ volume } = { volume: '' }] = cluster.layout.nodes;
  const name = readdirSync(join(volume, 'new')).sort()[5];
  if (name === undefined) throw new Error('too few messages to remove one');
  return join('new', name);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
