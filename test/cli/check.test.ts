/** `check` tells every fault of a configuration, or what follows from a valid one. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { stringify } from 'yaml';
import { nodeConfig, pathsBelow } from '../lab/node-config.ts';
import { scratch } from '../support/scratch.ts';
import { runVerb } from './verb-process.ts';

const members = ['mail1', 'mail2', 'mail3'].map((id, at) => ({ id, address: `10.77.0.1${at}` }));

/** Writes a configuration that is valid but for `changes`; the folder it is in. */
function folderWith(t: Parameters<typeof scratch>[0], changes: object): string {
  const { path } = scratch(t);
  const paths = pathsBelow(path);
  mkdirSync(paths.volume);
  const [self] = members;
  if (self === undefined) throw new Error('no members');
  const config = nodeConfig({ self, members, paths, timing: 'default' });
  writeFileSync(join(path, 'mailraft.yaml'), stringify({ ...config, ...changes }));
  return path;
}

t.test('a valid configuration is described with its worst takeover time', async (t) => {
  const ended = await runVerb(t, ['check'], { cwd: folderWith(t, {}) });
  t.match(ended, { code: 0, stderr: '' });
  t.match(ended.stdout, /^cluster lab, member mail1/);
  t.match(ended.stdout, /worst-case takeover \d+ms/);
});

t.test('-o json prints the configuration as it is understood', async (t) => {
  const ended = await runVerb(t, ['check', '-o', 'json'], { cwd: folderWith(t, {}) });
  t.equal(ended.code, 0);
  t.match(JSON.parse(ended.stdout), { valid: true, faults: [], config: { cluster: 'lab' } });
});

t.test('every fault is told with its place, and the exit code is 2', async (t) => {
  const cwd = folderWith(t, { clutser: 'lab', failback: 'always' });
  const ended = await runVerb(t, ['check', '--config', 'mailraft.yaml'], { cwd });
  t.match(ended, { code: 2, stdout: '' });
  t.match(ended.stderr, /^mailraft\.yaml:\d+: clutser: found .*accepted: /m);
  t.match(ended.stderr, /^mailraft\.yaml:\d+: failback: found .*accepted: /m);
  const asJson = await runVerb(t, ['check', '-o', 'json'], { cwd });
  t.equal(asJson.code, 2);
  const { valid, faults } = JSON.parse(asJson.stdout);
  t.equal(valid, false);
  t.same(faults.map(({ key }: { key: string }) => key).sort(), ['clutser', 'failback']);
});

for (const verb of ['run', 'status', 'barrier']) {
  t.test(`${verb} does not begin with a wrong configuration`, async (t) => {
    const cwd = folderWith(t, { clutser: 'lab', failback: 'always' });
    const ended = await runVerb(t, [verb, '--config', 'mailraft.yaml'], { cwd });
    t.match(ended, { code: 2, stdout: '' });
    t.match(ended.stderr, /^mailraft\.yaml:\d+: clutser: found /m);
  });
}

t.test('a file that is not there is a fault', async (t) => {
  const ended = await runVerb(t, ['check', '--config', 'nowhere.yaml'], { cwd: scratch(t).path });
  t.match(ended, { code: 2, stdout: '', stderr: /nowhere\.yaml.* no such file/ });
});
