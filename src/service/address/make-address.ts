/** From a configured address to its driver, with nothing left of a former run. */

import type { AddressConfig } from '../../config/config.ts';
import { MailraftError, messageOf } from '../../errors.ts';
import type { AddressDriver, AddressEvents } from './address-driver.ts';
import { IpAddress } from './ip-address.ts';
import { ProxyAddress } from './proxy-address.ts';

/**
 * Resolves once nothing is held that an earlier run of this node may have left.
 *
 * @throws MailraftError `SERVICE_FAILED` when that can not be cleaned up, and
 *   `CONFIG_INVALID` for an address that is not IPv4
 */
export async function makeAddress(
  config: AddressConfig,
  events: AddressEvents,
): Promise<AddressDriver> {
  // Its sockets ended with the process that had them.
  if (config.driver === 'proxy') return new ProxyAddress(config, events);
  const address = new IpAddress(config, events);
  try {
    address.prepare();
  } catch (cause) {
    const text = `${address.label} is left from an earlier run and can not be removed`;
    throw new MailraftError('SERVICE_FAILED', `${text}: ${messageOf(cause)}`, { cause });
  }
  return address;
}
