/**
 * Places on the network as people write them: `HOST:PORT`, with an IPv6 address in
 * brackets, and an address with the length of its subnet's prefix.
 */

import { isIP, isIPv4, isIPv6 } from 'node:net';
import type { Endpoint } from './config.ts';

/** For editors; what it lets through is looked at more closely. */
export const ENDPOINT_PATTERN = '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9.-]+):[0-9]{1,5}$';

const NAME = /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/;
const NAME_LENGTH_MAX = 253;
const PORT_MAX = 65_535;

/** Undefined when `text` is no host and port. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):([1-9][0-9]{0,4})$/.exec(text);
  if (match === null) return undefined;
  const [, bracketed, plain, digits] = match;
  const port = Number(digits);
  const host = bracketed ?? plain ?? '';
  const isHost = bracketed === undefined ? isIPv4OrName(host) : isIPv6(host);
  return isHost && port <= PORT_MAX ? { host, port } : undefined;
}

export function formatEndpoint({ host, port }: Endpoint): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether what is sent there never leaves this machine. */
export function isLoopback({ host }: Endpoint): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** Whether it stands for every address of this machine. */
export function isWildcard({ host }: Endpoint): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** Whether two programs can not listen on both. */
export function collides(one: Endpoint, other: Endpoint): boolean {
  if (one.port !== other.port) return false;
  return one.host === other.host || isWildcard(one) || isWildcard(other);
}

/** An IPv4 address in its subnet. */
export interface Subnet {
  readonly address: string;
  readonly prefix: number;
}

export const SUBNET_PATTERN = '^[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}$';

/** Undefined when `text` is no IPv4 address with a prefix of 1 to 32 bits. */
export function parseSubnet(text: string): Subnet | undefined {
  const [address = '', digits = '', ...rest] = text.split('/');
  const prefix = Number(digits);
  if (!isIPv4(address) || rest.length > 0 || !/^[1-9][0-9]?$/.test(digits)) return undefined;
  return prefix <= 32 ? { address, prefix } : undefined;
}

/** Why no single machine can hold the address; undefined when one can. */
export function unfitReason({ address, prefix }: Subnet): string | undefined {
  const value = ipv4Value(address);
  const first = value >>> 24;
  if (first === 0 || first >= 224) return 'an address that no machine can have';
  // A subnet of two addresses or of one has neither (RFC 3021).
  if (prefix >= 31) return undefined;
  const hostMask = 2 ** (32 - prefix) - 1;
  const host = (value & hostMask) >>> 0;
  if (host === 0) return 'the address of the subnet itself';
  if (host === hostMask) return 'the broadcast address of its subnet';
  return undefined;
}

function ipv4Value(address: string): number {
  return address.split('.').reduce((value, part) => ((value << 8) | Number(part)) >>> 0, 0);
}

function isIPv4OrName(host: string): boolean {
  if (isIP(host) !== 0) return isIPv4(host);
  const labels = host.split('.');
  // A last label of digits alone is an address with a mistake in it.
  const isAddressLike = /^[0-9]+$/.test(labels.at(-1) ?? '');
  return (
    !isAddressLike && host.length <= NAME_LENGTH_MAX && labels.every((label) => NAME.test(label))
  );
}
