/** What a figure was taken on: without it none can be compared. */

import { readFileSync, statfsSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';

/** File systems in whose memory a sync costs nothing. */
const MEMORY_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
]);

const GIB = 1024 ** 3;

export function machineLine(): string {
  const [first] = cpus();
  const memory = `${(totalmem() / GIB).toFixed(0)} GiB`;
  const cores = `${cpus().length} x ${first?.model.trim() ?? 'unknown CPU'}`;
  return `${cores}, ${memory}, Linux ${release()}, Node ${process.versions.node}, ${loadLine()}`;
}

export function loadLine(): string {
  return `load average ${loadavg()
    .map((load) => load.toFixed(2))
    .join(' ')}`;
}

/** Why a folder is no place to measure syncs in; undefined when it is. */
export function memoryFileSystem(folder: string): string | undefined {
  return MEMORY_FILE_SYSTEMS.get(statfsSync(folder).type);
}

/** The device below a folder and its file system, as the kernel lists it. */
export function diskOf(folder: string): string {
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  const holding = mounts.filter(([, point = '-']) => isWithin(folder, point));
  const [device, , type] =
    holding.toSorted(([, a = ''], [, b = '']) => b.length - a.length)[0] ?? [];
  return `${device ?? 'unknown'} (${type ?? 'unknown'})`;
}

function isWithin(folder: string, point: string): boolean {
  return folder === point || folder.startsWith(point.endsWith('/') ? point : `${point}/`);
}
