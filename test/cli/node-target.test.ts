/** A verb finds the node it is meant for, and shows its token to no other. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findTarget } from '../../src/cli/node-target.ts';
import type { Config, Endpoint } from '../../src/config/config.ts';
import { scratch } from '../support/scratch.ts';

/** The part of a configuration that matters here. */
function reading(listen: Endpoint, tokenFile = '/nowhere/http.token') {
  const files: string[] = [];
  const read = async (file: string): Promise<Config> => {
    files.push(file);
    return { http: { listen, tokenFile } } as Config;
  };
  return { read, files };
}

const HERE: Endpoint = { host: '127.0.0.1', port: 7999 };

t.test('without any word it is the node of this machine, without a token', async (t) => {
  const { read, files } = reading(HERE);
  const target = await findTarget({}, read);
  t.equal(target.url.href, 'http://127.0.0.1:7480/');
  t.equal(await target.token(), undefined);
  t.same(files, []);
});

for (const [host, url] of [
  ['127.0.0.1', 'http://127.0.0.1:7999/'],
  ['10.77.0.11', 'http://10.77.0.11:7999/'],
  ['0.0.0.0', 'http://127.0.0.1:7999/'],
  ['::', 'http://[::1]:7999/'],
  ['fd00::11', 'http://[fd00::11]:7999/'],
] as const) {
  t.test(`a node that listens on ${host} is asked at ${url}`, async (t) => {
    const { read } = reading({ host, port: 7999 });
    t.equal((await findTarget({ config: 'a.yaml' }, read)).url.href, url);
  });
}

t.test('the token is that of the configuration, read only when it is needed', async (t) => {
  const file = join(scratch(t).path, 'token');
  const { read } = reading(HERE, file);
  const target = await findTarget({ config: 'a.yaml' }, read);
  await t.rejects(target.token(), { code: 'USAGE', message: /can not be read: ENOENT/ });
  writeFileSync(file, 'secret\n');
  t.equal(await target.token(), 'secret');
});

t.test('--token-file wins over the configuration', async (t) => {
  const tokenFile = join(scratch(t).path, 'token');
  writeFileSync(tokenFile, 'secret');
  const { read } = reading(HERE);
  t.equal(await (await findTarget({ config: 'a.yaml', tokenFile }, read)).token(), 'secret');
});

t.test('--url with --config asks the one with the token of the other', async (t) => {
  const tokenFile = join(scratch(t).path, 'token');
  writeFileSync(tokenFile, 'secret');
  const { read, files } = reading(HERE, tokenFile);
  const target = await findTarget({ url: 'http://mail9:80/ha', config: 'a.yaml' }, read);
  t.equal(target.url.href, 'http://mail9/ha/');
  t.same(files, [], 'the configuration is not needed to find the node');
  t.equal(await target.token(), 'secret');
});

t.test('a configuration that merely lies here gives no token to a --url', async (t) => {
  const { path } = scratch(t);
  writeFileSync(join(path, 'mailraft.yaml'), 'cluster: example\n');
  const before = process.cwd();
  t.teardown(() => process.chdir(before));
  process.chdir(path);
  const { read, files } = reading(HERE);
  t.equal(await (await findTarget({ url: 'http://mail9' }, read)).token(), undefined);
  t.same(files, []);
  t.equal(
    (await findTarget({}, read)).url.href,
    'http://127.0.0.1:7999/',
    'but is used without one',
  );
  t.same(files, ['mailraft.yaml']);
});

for (const content of ['', '\n', 'two words', 'a\nb', 'ä']) {
  t.test(`a token file with ${JSON.stringify(content)} holds no token`, async (t) => {
    const tokenFile = join(scratch(t).path, 'token');
    writeFileSync(tokenFile, content);
    const target = await findTarget({ tokenFile });
    await t.rejects(target.token(), { code: 'USAGE', message: /holds no token/ });
  });
}
