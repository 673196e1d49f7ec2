/** Turns a file that passed all checks into the configuration that the system works with. */

import { resolve } from 'node:path';
import { assert } from '../errors.ts';
import type { AddressConfig, Config, MemberConfig, ServiceConfig } from './config.ts';
import {
  durationOf,
  endpointOf,
  peersListenOf,
  sizeOf,
  subnetOf,
  timingSettingsOf,
  tokenFileOf,
} from './raw-values.ts';
import type { RawConfig } from './schema.ts';
import { deriveTimings } from './timings.ts';

/** @param folder that relative paths start at */
export function buildConfig(
  raw: RawConfig,
  file: string,
  folder: string,
): Omit<Config, 'warnings'> {
  const { tls, allowPlaintext } = raw.peers;
  const below = (path: string) => resolve(folder, path);
  const listen = peersListenOf(raw);
  assert(listen !== undefined, 'a member without an address');
  return {
    file,
    cluster: raw.cluster,
    node: { id: raw.node.id, dataDir: below(raw.node.dataDir) },
    members: membersOf(raw),
    peers: {
      listen,
      tls:
        tls === 'off'
          ? undefined
          : { ca: below(tls.ca), cert: below(tls.cert), key: below(tls.key) },
      allowPlaintext,
    },
    http: { listen: endpointOf(raw.http.listen), tokenFile: tokenFileOf(raw, folder) },
    volumes: raw.volumes.map((volume) => ({ ...volume, path: below(volume.path) })),
    service: serviceOf(raw),
    address: raw.address.map(addressOf),
    timing: deriveTimings(timingSettingsOf(raw)),
    journal: { maxSizeBytes: sizeOf(raw.journal.maxSize) },
    failback: raw.failback,
  };
}

function membersOf({ members }: RawConfig): MemberConfig[] {
  return members.map(({ id, address, role, priority, site, origin, canBePrimary }) => ({
    id,
    address: endpointOf(address),
    role,
    priority,
    site: site ?? '',
    origin: origin || members.length === 1,
    canBePrimary: canBePrimary && role === 'voter',
  }));
}

function serviceOf({ service }: RawConfig): ServiceConfig {
  return {
    driver: service.driver,
    start: service.start ?? [],
    startDeadlineMs: durationOf(service.startDeadline),
    stopTimeoutMs: durationOf(service.stopTimeout),
    restarts: { max: service.restarts.max, withinMs: durationOf(service.restarts.within) },
    probes: service.probes.map(({ type, address, every, timeout, failures }) => ({
      type,
      address: endpointOf(address),
      everyMs: durationOf(every),
      timeoutMs: durationOf(timeout),
      failures,
    })),
  };
}

function addressOf(entry: RawConfig['address'][number]): AddressConfig {
  if (entry.driver === 'proxy') {
    return { driver: 'proxy', listen: endpointOf(entry.address), to: endpointOf(entry.to) };
  }
  return { driver: 'ip', ...subnetOf(entry.address), interface: entry.interface };
}
