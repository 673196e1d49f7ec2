/**
 * Loaded into a real mail server before it starts: makes one kind of fsync wait or fail.
 *
 * `MAIL_FAULT` is `hold` or `fail`, `MAIL_FAULT_ON` is `file` or `directory`. A held fsync
 * says so on stderr and goes on at SIGUSR2.
 */

import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';

const sample = await open('/dev/null');
const prototype = Object.getPrototypeOf(sample) as FileHandle;
await sample.close();

const { sync } = prototype;
prototype.sync = async function faultySync(this: FileHandle): Promise<void> {
  const isDirectory = (await this.stat()).isDirectory();
  if (isDirectory === (process.env['MAIL_FAULT_ON'] === 'directory')) {
    if (process.env['MAIL_FAULT'] === 'fail') {
      throw Object.assign(new Error('injected'), { code: 'EIO' });
    }
    const released = once(process, 'SIGUSR2');
    process.stderr.write('held\n');
    await released;
  }
  await sync.call(this);
};
