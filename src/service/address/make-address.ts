/** Makes the driver of a shared address; what a dead run left of it is gone by then. */

import type { AddressConfig } from '../../config/config.ts';
import { MailraftError } from '../../errors.ts';
import type { AddressDriver, AddressEvents } from './address-driver.ts';

export function makeAddress(config: AddressConfig, _events: AddressEvents): Promise<AddressDriver> {
  const message = `the address driver ${JSON.stringify(config.driver)} is not known here`;
  return Promise.reject(new MailraftError('CONFIG_INVALID', message));
}
