/** Which version of the product this is: what its package file says, wherever this was compiled to. */

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MailraftError } from '../errors.ts';

export function productVersion(): string {
  const file = packageFile(import.meta.dirname);
  const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof content === 'object' && content !== null && 'version' in content) {
    if (typeof content.version === 'string') return content.version;
  }
  throw new MailraftError('INVARIANT', `no version in ${JSON.stringify(file)}`);
}

function packageFile(folder: string): string {
  const file = join(folder, 'package.json');
  if (existsSync(file) || folder === dirname(folder)) return file;
  return packageFile(dirname(folder));
}
