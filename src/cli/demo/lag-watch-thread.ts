/** The thread of the lag watch: notes when each name first stands in each folder. */

import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../errors.ts';
import type { Sighting, WatchedFolder } from './lag-watch.ts';

const SIGHTINGS_MAX = 200_000;

function run(folders: readonly WatchedFolder[]): void {
  assert(parentPort !== null, 'the lag watch runs in a thread of its own');
  const port = parentPort;
  const sightings = new Map<string, Sighting>();
  const watchers = folders.map(({ node, path }) =>
    watch(path, (event, name) => {
      const atMs = Number(process.hrtime.bigint()) / 1e6;
      const key = `${node}/${name}`;
      if (event !== 'rename' || name === null || sightings.has(key)) return;
      // The same event tells of a name that went.
      if (sightings.size >= SIGHTINGS_MAX || !existsSync(join(path, name))) return;
      sightings.set(key, { node, name, atMs });
    }),
  );
  const end = (): void => {
    for (const watcher of watchers) watcher.close();
    port.postMessage([...sightings.values()]);
  };
  // Between the two, the loop reads what the kernel had noted before the order to stop.
  port.once('message', () => setImmediate(() => setImmediate(end)));
  port.postMessage('watching');
}

run(workerData as readonly WatchedFolder[]);
