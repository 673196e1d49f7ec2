/**
 * What the tests of the guardian run and look for: programs of the tests' own,
 * found by a name that no other test uses.
 */

import { fileURLToPath } from 'node:url';
import { ProcessScan } from '../../src/cli/demo/process-scan.ts';
import type { AddressConfig, ServiceConfig } from '../../src/config/config.ts';
import { bootTimeMs } from '../../src/platform/linux/clock.ts';
import type { GuardianSettings } from '../../src/service/guardian/words.ts';
import type { Deadlines, EndingTimes } from '../../src/service/tenure/deadlines.ts';
import { deadlinesOf } from '../../src/service/tenure/deadlines.ts';

const SERVICE = 'test-service.js';

export const ENDING: EndingTimes = { stopBudgetMs: 400, killMs: 300, marginMs: 100 };

/** The guardian of the product, with addresses that are files. */
export const GUARDIAN = new URL('./test-guardian.js', import.meta.url);

let names = 0;

/** A name for the services of one test. */
export function uniqueName(): string {
  names += 1;
  return `test-${process.pid}-${names}`;
}

export interface Wishes {
  readonly dataDir: string;
  readonly name: string;
  /** Options of the test service. */
  readonly options?: readonly string[];
  readonly addresses?: readonly AddressConfig[];
  readonly stopTimeoutMs?: number;
}

export function settingsFor(wishes: Wishes): GuardianSettings {
  const { dataDir, name, options = [], addresses = [], stopTimeoutMs = 5000 } = wishes;
  const script = fileURLToPath(new URL(`./${SERVICE}`, import.meta.url));
  const service: ServiceConfig = {
    driver: 'command',
    start: [process.execPath, script, '--name', name, ...options],
    startDeadlineMs: 10_000,
    stopTimeoutMs,
    restarts: { max: 3, withinMs: 60_000 },
    probes: [],
  };
  return { node: 'n1', dataDir, service, addresses, ending: ENDING, renewEveryMs: 200 };
}

/** An address that is a file below `directory`, there while it is held. */
export function fileAddress(directory: string, behaviour = 'good'): AddressConfig {
  const listen = { host: behaviour, port: 1 };
  return { driver: 'proxy', listen, to: { host: directory, port: 1 } };
}

/** Where a file address of that behaviour stands while it is held. */
export function heldFile(directory: string, behaviour = 'good'): string {
  return `${directory}/held-${behaviour}`;
}

/** A lease that ends so much later. */
export function lease(ms: number): Deadlines {
  return deadlinesOf(bootTimeMs() + ms, ENDING);
}

/** The services of that name that run at this moment; launchers do not count. */
export function servicesOf(name: string): number[] {
  const scan = new ProcessScan({ marker: SERVICE, nodeOption: '--name', nodes: { [name]: name } });
  return scan.look().map(({ pid }) => pid);
}
