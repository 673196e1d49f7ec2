/**
 * Whether a process is held by the cgroup freezer, of either version.
 *
 * A frozen process keeps a state as if it slept; only its group tells.
 */

import { readFileSync } from 'node:fs';

/** A file of a cgroup and the text in it that means frozen. */
interface Sign {
  readonly file: string;
  readonly text: Buffer;
}

interface Hierarchy {
  readonly mountPoint: string;
  /** The group that is mounted there; paths are relative to the whole tree. */
  readonly root: string;
}

const GROUPS_CACHED_MAX = 1_000;

export class FrozenGroups {
  readonly #unified: Hierarchy | undefined;
  readonly #freezer: Hierarchy | undefined;
  readonly #signs = new Map<string, readonly Sign[]>();

  constructor(mounts: string = readFileSync('/proc/self/mountinfo', 'utf8')) {
    this.#unified = findHierarchy(mounts, (type) => type === 'cgroup2');
    this.#freezer = findHierarchy(
      mounts,
      (type, options) => type === 'cgroup' && options.split(',').includes('freezer'),
    );
  }

  /** The files that tell about a process whose /proc/PID/cgroup is `membership`. */
  signsOf(membership: string): readonly Sign[] {
    const known = this.#signs.get(membership);
    if (known !== undefined) return known;
    const signs = membership.split('\n').flatMap((line) => this.#signsOfLine(line));
    if (this.#signs.size >= GROUPS_CACHED_MAX) this.#signs.clear();
    this.#signs.set(membership, signs);
    return signs;
  }

  #signsOfLine(line: string): Sign[] {
    const [id, controllers = '', ...path] = line.split(':');
    const group = path.join(':');
    if (id === '0' && this.#unified !== undefined) {
      const file = fileOf(this.#unified, group, 'cgroup.events');
      return [{ file, text: Buffer.from('frozen 1') }];
    }
    if (controllers.split(',').includes('freezer') && this.#freezer !== undefined) {
      const file = fileOf(this.#freezer, group, 'freezer.state');
      return [{ file, text: Buffer.from('FROZEN') }];
    }
    return [];
  }
}

function fileOf({ mountPoint, root }: Hierarchy, group: string, file: string): string {
  const below = root !== '/' && group.startsWith(root) ? group.slice(root.length) : group;
  return `${mountPoint}/${below}/${file}`.replaceAll(/\/+/g, '/');
}

function findHierarchy(
  mounts: string,
  isWanted: (type: string, options: string) => boolean,
): Hierarchy | undefined {
  for (const line of mounts.split('\n')) {
    const [own = '', type = ''] = line.split(' - ');
    const [, , , root, mountPoint] = own.split(' ');
    const [kind = '', , options = ''] = type.split(' ');
    if (root === undefined || mountPoint === undefined) continue;
    if (isWanted(kind, options)) return { mountPoint, root };
  }
  return undefined;
}
