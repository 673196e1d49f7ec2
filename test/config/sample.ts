/** A configuration that is right, on a machine of the test's own, to be made wrong line by line. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type CheckedConfig, checkConfig } from '../../src/config/load-config.ts';
import { scratch } from '../support/scratch.ts';

/** `PROGRAM` stands for a program that exists on every machine that runs tests. */
export const SAMPLE = `cluster: example
node:
  id: mail1
  dataDir: data
members:
  - { id: mail1, address: 10.77.0.11:7400, origin: true }
  - { id: mail2, address: 10.77.0.12:7400 }
  - { id: mail3, address: 10.77.0.13:7400 }
peers:
  listen: 10.77.0.11:7400
  tls: off
  allowPlaintext: true
http:
  listen: 127.0.0.1:7480
volumes:
  - { name: mail, path: mail }
  - { name: lists, path: lists }
service:
  driver: command
  start: [PROGRAM, --version]
  stopBudget: 200ms
  probes:
    - { type: smtp, address: 10.77.0.100:25, every: 500ms, timeout: 1s, failures: 3 }
address:
  - { driver: ip, address: 10.77.0.100/24, interface: eth0 }
timing: fast
`;

export interface Place {
  readonly folder: string;
  readonly file: string;
  /** Writes `text` as the configuration file. */
  write(text: string): void;
  check(text: string): CheckedConfig;
}

/** A folder with what the sample names. */
export function place(t: Test): Place {
  const folder = scratch(t).path;
  const file = join(folder, 'mailraft.yaml');
  for (const name of ['mail', 'lists']) mkdirSync(join(folder, name));
  const write = (text: string) =>
    writeFileSync(file, text.replaceAll('PROGRAM', JSON.stringify(process.execPath)));
  const check = (text: string) => {
    write(text);
    return checkConfig(file);
  };
  return { folder, file, write, check };
}

export type Change = readonly [from: string, to: string];

/** The sample with some of its text replaced; text that it does not have is a fault of the test. */
export function changed(...changes: readonly Change[]): string {
  return changes.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the sample has no ${JSON.stringify(from)}`);
    return text.replace(from, () => to);
  }, SAMPLE);
}
