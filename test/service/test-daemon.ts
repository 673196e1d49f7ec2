/**
 * A daemon that does nothing but hold a tenure: it starts a guardian, renews a short
 * lease, and prints the guardian's pid when the service runs.
 *
 * Its arguments: the settings of the guardian, as JSON.
 */

import { GuardianClient } from '../../src/service/guardian/client.ts';
import type { GuardianSettings } from '../../src/service/guardian/words.ts';
import { GUARDIAN, lease } from './programs.ts';

const settings = JSON.parse(process.argv[2] ?? '') as GuardianSettings;
const LEASE_MS = 2500;

let isTold = false;
const client = await GuardianClient.start(
  settings,
  {
    onReport: () => {
      if (isTold || client.service.state !== 'running') return;
      isTold = true;
      process.stdout.write(`${client.pid}\n`);
    },
    onLog: (level, text) => process.stderr.write(`${level}: ${text}\n`),
    onLost: () => undefined,
  },
  GUARDIAN,
);
client.serve(1, lease(LEASE_MS));
setInterval(() => client.serve(1, lease(LEASE_MS)), 100);
