/**
 * What the lab needs of a machine, and whether this machine has it.
 *
 * The answer comes from trying, not from version numbers: a kernel may have
 * namespaces and a container may still forbid them. Root is not needed where
 * the kernel lets anybody make a user namespace.
 */

import { spawnSync } from 'node:child_process';

export type Requirement =
  | {
      readonly ok: true;
      /** The program must first be put into a user namespace of its own. */
      readonly needsUserNamespace: boolean;
    }
  | { readonly ok: false; readonly reason: string };

/** Flags that make the namespaces of one machine; also what the trial asks for. */
export const MACHINE_NAMESPACES: readonly string[] = [
  ...['--net', '--mount', '--uts', '--pid'],
  ...['--fork', '--kill-child', '--propagation', 'private'],
];

const USER_NAMESPACE = ['-Urnm', '--propagation', 'private'] as const;

/** Says whether the lab can be built here, and if not, what is missing. */
export function canRun(): Requirement {
  if (process.platform !== 'linux') return { ok: false, reason: 'the lab needs Linux' };
  const programs: ReadonlyArray<readonly [string, string]> = [
    ['ip', '-V'],
    ['unshare', '--version'],
    ['nsenter', '--version'],
    ['setpriv', '--version'],
  ];
  for (const [program, flag] of programs) {
    if (!starts([program, flag]))
      return { ok: false, reason: `the command "${program}" is missing` };
  }
  if (!starts(['env', '--ignore-signal=CHLD', '--chdir=/', 'true'])) {
    return { ok: false, reason: '"env" knows no --ignore-signal (coreutils 8.31 or later)' };
  }
  const trial = ['unshare', ...MACHINE_NAMESPACES, '--mount-proc', ...buildsNetwork];
  if (starts(trial)) return { ok: true, needsUserNamespace: false };
  if (starts(['unshare', ...USER_NAMESPACE, ...trial]))
    return { ok: true, needsUserNamespace: true };
  return {
    ok: false,
    reason: starts(['unshare', '-Ur', 'true'])
      ? 'namespaces can be made, but no bridge, veth or /proc within them'
      : 'neither root nor user namespaces are allowed here',
  };
}

/** One-way faults are made by nftables, which is not installed everywhere. */
export function canBlockOneWay(): Requirement {
  if (!starts(['nft', '--version'])) return { ok: false, reason: 'the command "nft" is missing' };
  return canRun();
}

/** The command that runs `argv` as root of a user namespace and dies with its caller. */
export function asRootOfUserNamespace(argv: readonly string[]): readonly string[] {
  // The parent-death signal is set inside: the kernel forgets it when a process
  // enters a user namespace, since that changes its credentials.
  return ['unshare', ...USER_NAMESPACE, 'setpriv', '--pdeathsig', 'KILL', ...argv];
}

const buildsNetwork = [
  ...['sh', '-c'],
  'ip link add lab0 type bridge && ip link add lab1 type veth peer name lab2 && mount -t tmpfs lab /run',
];

function starts(argv: readonly string[]): boolean {
  const [program = '', ...rest] = argv;
  return spawnSync(program, rest, { stdio: 'ignore' }).status === 0;
}
