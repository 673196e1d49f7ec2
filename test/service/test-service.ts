/**
 * A service for tests of the guardian.
 *
 * `--name N` makes it findable, `--ignore-term` makes it deaf, `--stop-ms MS` slow to
 * end; with `--stray` it leaves a process in the background as daemons do, in a
 * session of its own and with no parent of ours.
 */

import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    name: { type: 'string' },
    stray: { type: 'boolean' },
    'ignore-term': { type: 'boolean' },
    'stop-ms': { type: 'string', default: '0' },
  },
});

process.on('SIGTERM', () => {
  if (values['ignore-term'] === true) return;
  setTimeout(() => process.exit(0), Number(values['stop-ms']));
});

if (values.stray === true) {
  const stray = [process.argv[1] ?? '', '--name', `${values.name}`, '--ignore-term'];
  // The shell ends at once, so its child has no parent but the first process.
  const inBackground = ['-c', 'setsid "$@" >/dev/null 2>&1 & exit 0', 'sh', process.execPath];
  spawn('sh', [...inBackground, ...stray], { detached: true, stdio: 'ignore' }).unref();
}

const { MAILRAFT_NODE: node, MAILRAFT_EPOCH: epoch, MAILRAFT_SECRET: secret } = process.env;
process.stdout.write(`up as ${node} in epoch ${epoch}, secret ${secret}\n`);
setInterval(() => undefined, 1000);
