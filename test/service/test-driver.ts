/**
 * Runs the test service as the guardian does, without namespaces. Its arguments: the
 * name of the service, then its options.
 */

import { CommandDriver } from '../../src/service/driver/command.ts';
import { WEAK_PROTECTION } from '../../src/service/driver/protection.ts';
import { settingsFor } from './programs.ts';

const [name = '', ...options] = process.argv.slice(2);
const argv = settingsFor({ dataDir: '/', name, options }).service.start;
const driver = new CommandDriver(
  { node: 'n1', argv, protection: WEAK_PROTECTION, onStarting: () => Promise.resolve() },
  { onChange: () => undefined, onEnded: () => process.exit(), onLine: () => undefined },
);
driver.start(1);
setInterval(() => driver.look(), 20);
