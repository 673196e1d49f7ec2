/** Arithmetic of IPv4 addresses and of the lifetimes that the kernel gives them. Pure. */

import { isIPv4 } from 'node:net';
import { MailraftError } from '../../errors.ts';

/** The kernel looks at lifetimes so coarsely that an address may go so much later. */
const LATE_MS = 250;
/** A guarded address outlives its guard by this much: it is renewed by whole seconds. */
const SPARE_SECONDS = 1;

/** Four bytes. */
export function parseIpv4(text: string): Buffer {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  const found = JSON.stringify(text);
  throw new MailraftError('CONFIG_INVALID', `${found} is not an IPv4 address as 192.0.2.10`);
}

/** Whether `ip` lies in the subnet of `other` and is not that address itself. */
export function sharesSubnet(
  other: { readonly ip: Buffer; readonly prefix: number },
  ip: Buffer,
): boolean {
  const hostBits = 32 - other.prefix;
  const [left, right] = [other.ip.readUInt32BE(0), ip.readUInt32BE(0)];
  return left !== right && Math.floor(left / 2 ** hostBits) === Math.floor(right / 2 ** hostBits);
}

/**
 * Whole seconds that the kernel is to keep an address of which `leftMs` are left.
 *
 * With a guard they only have to be enough. Without one they end in time where a
 * second is short enough; less than one can not be said.
 */
export function lifetimeSeconds(leftMs: number, isGuarded: boolean): number {
  if (isGuarded) return Math.ceil(leftMs / 1000) + SPARE_SECONDS;
  return Math.max(1, Math.floor((leftMs - LATE_MS) / 1000));
}
