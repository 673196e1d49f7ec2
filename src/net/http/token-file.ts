/**
 * The file with the bearer token that every call which changes something must
 * carry. Whoever can read it can move the service: it is its owner's alone.
 */

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { MailraftError, messageOf, systemCode } from '../../errors.ts';

const TOKEN_BYTES = 32;
const FILE_BYTES_MAX = 1024;
const FILE_MODE = 0o600;
const MODE_OF_OTHERS = 0o077;
/** What a header can carry, and long enough not to be guessed. */
const TOKEN_PATTERN = /^[\x21-\x7e]{32,512}$/;

/**
 * The token in the file at `path`, which is made when there is none.
 *
 * @throws CONFIG_INVALID when the file is readable by others, or holds no token
 */
export function readOrMakeToken(path: string): string {
  return readToken(path) ?? makeToken(path) ?? unreadable(path, 'it appeared and vanished again');
}

function readToken(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    return unreadable(path, messageOf(error));
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) return unreadable(path, 'it is no regular file');
    if ((stats.mode & MODE_OF_OTHERS) !== 0) {
      const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0');
      return unreadable(path, `its mode is ${mode}, others may use it; accepted is 0600 or 0400`);
    }
    if (stats.size > FILE_BYTES_MAX) return unreadable(path, `it has ${stats.size} bytes`);
    const token = readFileSync(file, 'utf8').trim();
    if (!TOKEN_PATTERN.test(token)) {
      return unreadable(path, 'it holds no token; accepted are 32 to 512 printable characters');
    }
    return token;
  } finally {
    closeSync(file);
  }
}

/** Undefined when another process made the file first and it is gone again. */
function makeToken(path: string): string | undefined {
  const token = randomBytes(TOKEN_BYTES).toString('hex');
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    writeDurably(draft, `${token}\n`);
    // The name appears with its whole content, or belongs to whoever was first.
    linkSync(draft, path);
    rmSync(draft);
    syncDirectory(dirname(path));
    return token;
  } catch (error) {
    rmSync(draft, { force: true });
    if (systemCode(error) === 'EEXIST') return readToken(path);
    throw new MailraftError(
      'CONFIG_INVALID',
      `the token file ${JSON.stringify(path)} can not be made: ${messageOf(error)}`,
    );
  }
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, 'wx', FILE_MODE);
  try {
    // Whatever the umask takes away.
    fchmodSync(file, FILE_MODE);
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function unreadable(path: string, reason: string): never {
  const file = `the token file ${JSON.stringify(path)} can not be used`;
  throw new MailraftError('CONFIG_INVALID', `${file}: ${reason}`);
}
