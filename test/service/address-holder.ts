/**
 * A program for tests: has one address driver in a process of its own, as the guardian does.
 *
 * Lines on its input: `keep LEASE_MS EVERY_MS` holds for that long again and again,
 * `hold MS` once, `drop`, `close`. Prints what it sees as lines of JSON: first
 * `{"state":"made"}`, then each change.
 *
 * With `--unguarded` it is as on a kernel that can not guard.
 */

import { createInterface } from 'node:readline';
import { bootTimeMs } from '../../src/platform/linux/clock.ts';
import type { AddressDriver, AddressEvents } from '../../src/service/address/address-driver.ts';
import { IpAddress } from '../../src/service/address/ip-address.ts';
import { makeAddress } from '../../src/service/address/make-address.ts';

const [address = '', face = '', mode] = process.argv.slice(2);
const config = { driver: 'ip' as const, address, prefix: 24, interface: face };
const events: AddressEvents = { onChange: () => report('changed') };
let renewal: NodeJS.Timeout | undefined;

function unguarded(): AddressDriver {
  const driver = new IpAddress(config, events, () => {
    throw new Error('this kernel has no nf_tables');
  });
  driver.prepare();
  return driver;
}

const driver = mode === '--unguarded' ? unguarded() : await makeAddress(config, events);

function report(state: string, untilMs = 0): void {
  const { isHeld, announcements, expiry, note, problem } = driver;
  // The end on the clock of the observer.
  const endMs = untilMs === 0 ? 0 : untilMs - bootTimeMs() + Number(process.hrtime.bigint()) / 1e6;
  const facts = { state, isHeld, announcements, expiry, note, problem, endMs };
  process.stdout.write(`${JSON.stringify(facts)}\n`);
}

function hold(ms: number): void {
  const untilMs = bootTimeMs() + ms;
  // Before the kernel is told: a kill in between finds it said.
  report('holding', untilMs);
  driver.hold(untilMs);
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [verb, first = '0', second = '0'] = line.split(' ');
    clearInterval(renewal);
    if (verb === 'hold') hold(Number(first));
    if (verb === 'keep') {
      hold(Number(first));
      renewal = setInterval(() => hold(Number(first)), Number(second));
    }
    if (verb === 'drop') driver.drop();
    if (verb === 'close') driver.close();
    report(`did ${verb}`);
  })
  .on('close', () => {
    clearInterval(renewal);
    driver.close();
  });
report('made');
