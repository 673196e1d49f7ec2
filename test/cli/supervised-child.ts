/** A process whose node does what the first argument says, for the tests of its life. */

import { supervise } from '../../src/cli/supervise.ts';
import type { RunningNode } from '../../src/daemon/start-node.ts';
import { MailraftError } from '../../src/errors.ts';
import { makeLogger } from '../../src/platform/log.ts';

const never = new Promise<never>(() => undefined);
const alive: RunningNode = { failed: never, stop: async () => undefined };
const log = makeLogger('info');

/** What holds the process open, as a daemon's sockets do. */
setInterval(() => undefined, 60_000);

/** The test's word to go on: what was logged before has been seen then. */
const signal = new Promise<void>((resolve) => process.once('SIGUSR2', () => resolve()));

const NODES: Readonly<Record<string, () => Promise<RunningNode>>> = {
  stops: async () => alive,
  hangs: async () => ({ ...alive, stop: () => never }),
  stopFails: async () => ({ ...alive, stop: () => Promise.reject(new Error('stuck')) }),
  fails: async () => {
    const failure = new MailraftError('STORAGE_FAILED', 'the disk is gone');
    return { ...alive, failed: signal.then(() => failure) };
  },
  isRefused: async () => {
    await signal;
    throw new MailraftError('CONFIG_INVALID', 'the port is taken');
  },
  throwsLater: async () => {
    process.once('SIGUSR2', () => {
      throw new Error('out of the blue');
    });
    return alive;
  },
  rejectsLater: async () => {
    process.once('SIGUSR2', () => void Promise.reject(new Error('out of the blue')));
    return alive;
  },
  startsSlowly: () => signal.then(() => alive),
};

const start = NODES[process.argv[2] ?? ''];
if (start === undefined) throw new Error(`no node ${process.argv[2]}`);
const exitCode = await supervise(log, () => {
  log.debug({}, 'not to be seen');
  log.info({}, 'started');
  return start();
});
await log.written();
process.exit(exitCode);
