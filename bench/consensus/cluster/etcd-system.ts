/**
 * etcd as a cluster of processes, where there is one: on the path, or in a folder of
 * the user's caches, into which Debian's package is unpacked without being installed.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { MemberPlace, MemberProgram, System } from './cluster.ts';

const PACKAGE = 'etcd-server';
const DOWNLOAD_MS_MAX = 120_000;

/** Etcd, or why there is none. */
export function findEtcd(): System | string {
  for (const file of ['etcd', cachedFile()]) {
    const version = versionOf(file);
    if (version !== undefined) return systemOf(file, version);
  }
  const problem = download();
  const version = problem === undefined ? versionOf(cachedFile()) : undefined;
  if (version !== undefined) return systemOf(cachedFile(), version);
  return `etcd is absent: ${problem ?? `${PACKAGE} has no program that runs here`}`;
}

function systemOf(file: string, version: string): System {
  return { name: 'etcd', version, program: programOf(file) };
}

function programOf(file: string): MemberProgram {
  const peerUrl = ({ peerPort }: MemberPlace): string => `http://127.0.0.1:${peerPort}`;
  return (self, all, { electionMs, heartbeatMs }) => {
    const clientUrl = `http://127.0.0.1:${self.clientPort}`;
    const options = {
      name: self.id,
      'data-dir': join(self.directory, 'data'),
      'listen-client-urls': clientUrl,
      'advertise-client-urls': clientUrl,
      'listen-peer-urls': peerUrl(self),
      'initial-advertise-peer-urls': peerUrl(self),
      'initial-cluster': all.map((member) => `${member.id}=${peerUrl(member)}`).join(','),
      'initial-cluster-token': all[0]?.directory ?? '',
      'heartbeat-interval': heartbeatMs,
      'election-timeout': electionMs,
      logger: 'zap',
      'log-level': 'error',
    };
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    return { file, args, env: withoutSettings() };
  };
}

/** Settings of somebody's own etcd are not for this one. */
function withoutSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('ETCD_')),
  );
}

function versionOf(file: string): string | undefined {
  const { status, stdout } = spawnSync(file, ['--version'], { encoding: 'utf8' });
  return status === 0 ? /etcd Version: (\S+)/.exec(stdout)?.[1] : undefined;
}

function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'mailraft-bench');
}

function cachedFile(): string {
  return join(cacheFolder(), 'usr/bin/etcd');
}

/** Unpacks Debian's package into the cache; returns why that can not be. */
function download(): string | undefined {
  if (!existsSync('/usr/bin/apt-get')) return 'this machine has no apt-get to fetch it';
  mkdirSync(cacheFolder(), { recursive: true });
  const folder = mkdtempSync(join(cacheFolder(), 'download-'));
  try {
    const problem = run('apt-get', ['download', PACKAGE], folder);
    const archive = readdirSync(folder).find((name) => name.endsWith('.deb'));
    if (archive === undefined) return problem ?? `there is no package ${PACKAGE}`;
    return run('dpkg', ['-x', join(folder, archive), cacheFolder()], folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(file: string, args: readonly string[], cwd: string): string | undefined {
  const options = { cwd, encoding: 'utf8', timeout: DOWNLOAD_MS_MAX } as const;
  const { status, stderr, error } = spawnSync(file, args, options);
  if (status === 0) return undefined;
  return `${file} ${args[0]}: ${error?.message ?? stderr.trim().split('\n').at(-1)}`;
}
