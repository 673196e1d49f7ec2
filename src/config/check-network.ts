/** Relations among addresses: who listens where, and what may be shared. */

import type { Endpoint } from './config.ts';
import { collides, formatEndpoint, isLoopback, unfitReason } from './endpoint.ts';
import { type Finding, type KeyPath, quote } from './fault.ts';
import { endpointOf, peersListenOf, subnetOf } from './raw-values.ts';
import type { RawConfig } from './schema.ts';

/** Without TLS whoever reaches a member is believed, and may read all mail. */
export function plaintextFindings(raw: RawConfig): Finding[] {
  const { members, peers } = raw;
  if (peers.tls !== 'off' || peers.allowPlaintext) return [];
  const far = members.find(({ address }) => !isLoopback(endpointOf(address)));
  const listen = peersListenOf(raw);
  const isOpen = listen !== undefined && !isLoopback(listen);
  if (far === undefined && !isOpen) return [];
  const reason =
    far === undefined
      ? 'where other machines can connect'
      : `with a member on another machine, ${far.address}`;
  return [
    {
      path: ['peers', 'tls'],
      found: `"off" ${reason}`,
      accepted: 'a mapping with ca, cert and key',
      advice: 'where nobody else can enter the network, say allowPlaintext: true',
    },
  ];
}

export function sharedAddressFindings({ members, address }: RawConfig): Finding[] {
  const hosts = members.map((member) => endpointOf(member.address).host);
  return address.flatMap((entry, index) => {
    const of = (key: string): KeyPath => ['address', index, key];
    if (entry.driver === 'proxy') return proxyFindings(entry, of);
    const { address: shared, prefix } = subnetOf(entry.address);
    const reason = unfitReason({ address: shared, prefix });
    const isTaken = hosts.includes(shared);
    const isRepeated = address
      .slice(0, index)
      .some((other) => other.driver === 'ip' && subnetOf(other.address).address === shared);
    const faults = [
      ...(reason === undefined ? [] : [reason]),
      ...(isTaken ? ["a member's own address"] : []),
      ...(isRepeated ? ['an address that stands here already'] : []),
    ];
    return faults.map((fault) => ({
      path: of('address'),
      found: `${quote(entry.address)}, ${fault}`,
      accepted: 'a free address of a machine in its subnet, such as 10.77.0.100/24',
    }));
  });
}

function proxyFindings(
  { address, to }: { readonly address: string; readonly to: string },
  of: (key: string) => KeyPath,
): Finding[] {
  if (!collides(endpointOf(address), endpointOf(to))) return [];
  const found = `${quote(to)}, where the proxy itself listens`;
  return [{ path: of('to'), found, accepted: 'the place where the service listens' }];
}

interface Listener {
  readonly path: KeyPath;
  readonly name: string;
  readonly endpoint: Endpoint;
}

export function listenerFindings(raw: RawConfig): Finding[] {
  const listeners = listenersOf(raw);
  return listeners.flatMap(({ path, endpoint }, index) => {
    const taken = listeners.slice(0, index).find((other) => collides(other.endpoint, endpoint));
    if (taken === undefined) return [];
    const found = `${quote(formatEndpoint(endpoint))}, where ${taken.name} listens`;
    return [{ path, found, accepted: 'a port that nothing else listens at' }];
  });
}

function listenersOf(raw: RawConfig): Listener[] {
  const peers = peersListenOf(raw);
  const proxies = raw.address.flatMap((entry, index) =>
    entry.driver === 'proxy'
      ? [
          {
            path: ['address', index, 'address'],
            name: `address[${index}]`,
            endpoint: endpointOf(entry.address),
          },
        ]
      : [],
  );
  return [
    ...(peers === undefined
      ? []
      : [{ path: ['peers', 'listen'], name: 'peers.listen', endpoint: peers }]),
    { path: ['http', 'listen'], name: 'http.listen', endpoint: endpointOf(raw.http.listen) },
    ...proxies,
  ];
}
