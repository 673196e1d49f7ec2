/**
 * The guardian process with addresses that are files; they behave as their host says:
 * `good`, `throws` (cannot be taken), `never` (is never held), `hangs` (dropping it
 * never returns, and the whole thread with it).
 */

import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import type { AddressConfig } from '../../src/config/config.ts';
import type { AddressDriver } from '../../src/service/address/address-driver.ts';
import { runGuardian } from '../../src/service/guardian/process.ts';
import { heldFile } from './programs.ts';

function fileAddress(config: AddressConfig): AddressDriver {
  if (config.driver !== 'proxy') throw new Error('only file addresses');
  const behaviour = config.listen.host;
  const path = heldFile(config.to.host, behaviour);
  rmSync(path, { force: true });
  return {
    label: behaviour,
    get isHeld() {
      return existsSync(path);
    },
    announcements: 0,
    problem: undefined,
    expiry: 'process',
    hold: (untilMs) => {
      if (behaviour === 'throws') throw new Error('no such interface');
      if (behaviour !== 'never') writeFileSync(path, `${untilMs}`);
    },
    drop: () => {
      if (behaviour === 'hangs') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      rmSync(path, { force: true });
    },
    close: () => undefined,
  };
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
runGuardian(new Socket({ fd: 3 }), (config) => Promise.resolve(fileAddress(config)));
