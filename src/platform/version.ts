/** Which version of the product this is: what its package file says, read from where it lies. */

import { readFileSync } from 'node:fs';
import { MailraftError } from '../errors.ts';

/** From the compiled form of this file, which lies one folder deeper than its source. */
const PACKAGE_FILE = new URL('../../../package.json', import.meta.url);

export function productVersion(): string {
  const content: unknown = JSON.parse(readFileSync(PACKAGE_FILE, 'utf8'));
  if (typeof content === 'object' && content !== null && 'version' in content) {
    if (typeof content.version === 'string') return content.version;
  }
  throw new MailraftError('INVARIANT', `no version in ${JSON.stringify(PACKAGE_FILE.pathname)}`);
}
