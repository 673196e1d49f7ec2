/**
 * Says what a checked configuration means: as lines for people, and as plain data.
 */

import type { AddressConfig, Config, MemberConfig, ProbeConfig } from './config.ts';
import { formatEndpoint } from './endpoint.ts';
import type { Fault } from './fault.ts';
import type { CheckedConfig } from './load-config.ts';
import { renewIntervalMs, type TimingSum, timingSum } from './timings.ts';
import { formatDuration, formatSize } from './units.ts';

/** The outcome of a check as plain data; all times in ms. */
export type ConfigReport =
  | { readonly valid: false; readonly faults: readonly Fault[] }
  | {
      readonly valid: true;
      readonly config: Config;
      /** What has to fit into the lease, and into how much of it. */
      readonly timingSum: TimingSum;
      /** What other machines can read on the way, in words. */
      readonly plaintext: readonly string[];
    };

export function configReport({ config, faults }: CheckedConfig): ConfigReport {
  if (config === undefined) return { valid: false, faults };
  return {
    valid: true,
    config,
    timingSum: timingSum(config.timing),
    plaintext: plaintextOf(config),
  };
}

/** What `mailraft check` prints for a valid configuration. */
export function describeConfig(config: Config): string[] {
  const { cluster, node, members, volumes, address, warnings } = config;
  return [
    `cluster ${cluster}, member ${node.id}, data in ${node.dataDir}`,
    ...section(
      'members',
      members.map((member) => describeMember(member, node.id)),
    ),
    ...section('network', [
      `peers: listens at ${formatEndpoint(config.peers.listen)}`,
      `http: listens at ${formatEndpoint(config.http.listen)}, token in ${config.http.tokenFile}`,
      ...plaintextOf(config).map((text) => `not encrypted: ${text}`),
    ]),
    ...section(
      'volumes',
      volumes.map(({ name, path, exclude }) => {
        return `${name}: ${path}${exclude.length === 0 ? '' : `, without ${exclude.join(' ')}`}`;
      }),
    ),
    ...section('service', describeService(config)),
    ...section('address', address.map(describeAddress)),
    ...section('timing', describeTiming(config)),
    ...section('journal', [`at most ${formatSize(config.journal.maxSizeBytes)}`]),
    ...section('failback', [config.failback]),
    ...section('warnings', warnings),
  ];
}

function section(name: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [name, ...lines.map((line) => `  ${line}`)];
}

function describeMember(member: MemberConfig, self: string): string {
  const { id, address, role, priority, site, origin, canBePrimary } = member;
  const isWitness = role === 'witness';
  const notes = [
    role,
    ...(isWitness ? ['no data'] : [`priority ${priority}`]),
    ...(site === '' ? [] : [site]),
    ...(origin ? ['origin'] : []),
    ...(canBePrimary || isWitness ? [] : ['never primary']),
    ...(id === self ? ['this machine'] : []),
  ];
  return `${id}: ${formatEndpoint(address)}, ${notes.join(', ')}`;
}

function describeService({ service }: Config): string[] {
  const { driver, start, startDeadlineMs, stopTimeoutMs, restarts, probes } = service;
  const command = driver === 'command' ? `command ${start.join(' ')}` : 'none';
  const within = formatDuration(restarts.withinMs);
  return [
    command,
    `serves within ${formatDuration(startDeadlineMs)}, stops within ${formatDuration(stopTimeoutMs)}`,
    `at most ${restarts.max} restarts within ${within}`,
    ...probes.map(describeProbe),
  ];
}

function describeProbe({ type, address, everyMs, timeoutMs, failures }: ProbeConfig): string {
  const [every, timeout] = [formatDuration(everyMs), formatDuration(timeoutMs)];
  return `probe ${type} ${formatEndpoint(address)} every ${every}, timeout ${timeout}, fails after ${failures}`;
}

function describeAddress(address: AddressConfig): string {
  if (address.driver === 'ip') {
    return `${address.address}/${address.prefix} on ${address.interface}`;
  }
  return `proxy ${formatEndpoint(address.listen)} to ${formatEndpoint(address.to)}`;
}

function describeTiming({ timing }: Config): string[] {
  const { terms, sumMs, limitMs } = timingSum(timing);
  const sum = terms.map(({ name, ms }) => `${name} ${formatDuration(ms)}`).join(' + ');
  const tick = formatDuration(timing.leaseMs / timing.ticksPerLease);
  return [
    `lease ${formatDuration(timing.leaseMs)}, renewed every ${formatDuration(renewIntervalMs(timing))}, tick ${tick}`,
    `${sum} = ${formatDuration(sumMs)}, at most ${formatDuration(limitMs)}`,
    `silence of up to ${formatDuration(timing.blipToleranceMs)} moves nothing`,
    `worst-case takeover ${formatDuration(timing.worstCaseTakeoverMs)} from the loss of the primary until its successor starts the service`,
  ];
}

function plaintextOf({ peers, http }: Config): string[] {
  const web = `http at ${formatEndpoint(http.listen)}`;
  return peers.tls === undefined ? ['everything between members', web] : [web];
}
