/** Reads the texts of a file that the schema has accepted: here they can not be wrong. */

import { resolve } from 'node:path';
import { assert } from '../errors.ts';
import type { Endpoint } from './config.ts';
import { parseEndpoint, parseSubnet, type Subnet } from './endpoint.ts';
import type { RawConfig } from './schema.ts';
import { PRESETS, type TimingSettings } from './timings.ts';
import { parseDuration, parseSize } from './units.ts';

export function durationOf(text: string): number {
  return accepted(parseDuration(text), text);
}

export function sizeOf(text: string): number {
  return accepted(parseSize(text), text);
}

export function endpointOf(text: string): Endpoint {
  return accepted(parseEndpoint(text), text);
}

export function subnetOf(text: string): Subnet {
  return accepted(parseSubnet(text), text);
}

/** Where this member listens to the others: by default at its own address. */
export function peersListenOf({ peers, members, node }: RawConfig): Endpoint | undefined {
  const own = members.find(({ id }) => id === node.id);
  const text = peers.listen ?? own?.address;
  return text === undefined ? undefined : endpointOf(text);
}

/** Where the token of the HTTP interface is kept: by default in the data directory. */
export function tokenFileOf({ http, node }: RawConfig, folder: string): string {
  const { tokenFile } = http;
  return tokenFile === undefined
    ? resolve(folder, node.dataDir, 'http.token')
    : resolve(folder, tokenFile);
}

export function timingSettingsOf({ timing, service }: RawConfig): TimingSettings {
  const stopBudgetMs = durationOf(service.stopBudget);
  if (typeof timing === 'string') return { leaseMs: PRESETS[timing], stopBudgetMs };
  const optional = (text: string | undefined) =>
    text === undefined ? undefined : durationOf(text);
  return {
    leaseMs: durationOf(timing.lease),
    stopBudgetMs,
    networkBudgetMs: optional(timing.networkBudget),
    killMs: optional(timing.kill),
    marginMs: optional(timing.margin),
  };
}

function accepted<T>(value: T | undefined, text: string): T {
  assert(value !== undefined, `the schema accepted ${JSON.stringify(text)}`);
  return value;
}
