/** The token is its owner's alone, and comes into being whole. */

import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readOrMakeToken } from '../../../src/net/http/token-file.ts';
import { scratch } from '../../support/scratch.ts';

t.test('a missing token file is made, for its owner alone', (t) => {
  const { path } = scratch(t);
  const file = join(path, 'http.token');
  // A umask that takes more, or less, changes nothing.
  const before = process.umask(0o277);
  t.teardown(() => process.umask(before));
  const token = readOrMakeToken(file);
  process.umask(before);

  t.match(token, /^[0-9a-f]{64}$/);
  t.equal(statSync(file).mode & 0o7777, 0o600);
  t.equal(readFileSync(file, 'utf8'), `${token}\n`);
  t.strictSame(readdirSync(path), ['http.token'], 'nothing else is left');
  t.equal(readOrMakeToken(file), token, 'and is read from then on');
  t.not(readOrMakeToken(join(path, 'other.token')), token);
  t.end();
});

t.test('a token of the operator is taken, without the space around it', (t) => {
  const file = join(scratch(t).path, 'http.token');
  const token = 'an+operators/own=token-of-some-length';
  writeFileSync(file, `  ${token}\r\n`, { mode: 0o400 });
  t.equal(readOrMakeToken(file), token);
  t.end();
});

t.test('a token file that others may use is refused, and so is one without a token', (t) => {
  const { path } = scratch(t);
  const refused = (name: string, text: string, mode: number, why: RegExp) => {
    const file = join(path, name);
    writeFileSync(file, text);
    chmodSync(file, mode);
    t.throws(() => readOrMakeToken(file), { code: 'CONFIG_INVALID', message: why }, name);
    t.equal(readFileSync(file, 'utf8'), text, 'and it is left as it is');
  };
  const good = 'x'.repeat(64);
  refused('world', good, 0o604, /mode is 0604/);
  refused('group', good, 0o640, /mode is 0640/);
  refused('empty', '', 0o600, /holds no token/);
  refused('short', 'secret', 0o600, /holds no token/);
  refused('two words', `${good} ${good}`, 0o600, /holds no token/);
  refused('large', 'x'.repeat(5000), 0o600, /5000 bytes/);

  const folder = join(path, 'folder');
  mkdirSync(folder, { mode: 0o700 });
  t.throws(() => readOrMakeToken(folder), { code: 'CONFIG_INVALID', message: /no regular file/ });
  const lost = join(path, 'missing', 'http.token');
  t.throws(() => readOrMakeToken(lost), { code: 'CONFIG_INVALID', message: /can not be made/ });
  t.end();
});
