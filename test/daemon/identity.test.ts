/** Who a data directory is, through restarts, mistakes and crashes. */

import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { IdentityStore } from '../../src/daemon/identity.ts';
import { scratch } from '../support/scratch.ts';

const N1 = { cluster: 'example', id: 'n1' };
const MEMBERS = [
  { id: 'n1', incarnation: 'a', role: 'voter', info: '' },
  { id: 'n2', incarnation: 'b', role: 'learner', info: '{}' },
] as const;

t.test('an empty directory becomes a node of no cluster, with an incarnation of its own', (t) => {
  const { path } = scratch(t);
  const one = new IdentityStore(join(path, 'one'), N1);
  const other = new IdentityStore(join(path, 'other'), N1);
  t.match(one.current, { ...N1, clusterId: '', members: [] });
  t.match(one.current.incarnation, /^[0-9a-f]{32}$/);
  t.not(one.current.incarnation, other.current.incarnation);
  t.notOk(one.isFounded);
  t.equal(statSync(join(path, 'one', 'node.json')).mode & 0o777, 0o600, 'for its owner alone');
  t.end();
});

t.test('what was written is read at the next start, and belongs to its cluster for good', (t) => {
  const path = join(scratch(t).path, 'deep', 'data');
  const first = new IdentityStore(path, N1);
  first.join('c1', MEMBERS);
  t.ok(first.isFounded);
  const again = new IdentityStore(path, N1);
  t.same(again.current, first.current);
  t.same(again.current.members, MEMBERS);
  t.end();
});

t.test('a directory that is an older state of itself stays out, also after a restart', (t) => {
  const { path } = scratch(t);
  new IdentityStore(path, N1).condemn('restored from a copy');
  const again = new IdentityStore(path, N1);
  t.equal(again.current.fault, 'restored from a copy');
  again.condemn('for another reason');
  t.equal(again.current.fault, 'restored from a copy');
  t.end();
});

t.test('what a crash left of a write does not count', (t) => {
  const { path } = scratch(t);
  const { current } = new IdentityStore(path, N1);
  writeFileSync(join(path, 'node.json.new'), '{"version":2,"clus');
  t.same(new IdentityStore(path, N1).current, current);
  new IdentityStore(path, N1).join('c1', MEMBERS);
  t.equal(new IdentityStore(path, N1).current.clusterId, 'c1');
  t.notOk(existsSync(join(path, 'node.json.new')));
  t.end();
});

t.test('the directory of another node or cluster is refused, with both names', (t) => {
  const { path } = scratch(t);
  new IdentityStore(path, N1);
  for (const expected of [
    { cluster: 'example', id: 'n2' },
    { cluster: 'other', id: 'n1' },
  ]) {
    const text = `node "n1" of cluster "example", the configuration names "${expected.id}" of "${expected.cluster}"`;
    t.throws(() => new IdentityStore(path, expected), {
      code: 'CONFIG_INVALID',
      message: new RegExp(text),
    });
  }
  t.end();
});

t.test('a journal without an identity is no empty directory', (t) => {
  const { path } = scratch(t);
  const { journalDirectory } = new IdentityStore(path, N1);
  mkdirSync(journalDirectory);
  rmSync(join(path, 'node.json'));
  t.throws(() => new IdentityStore(path, N1), {
    code: 'DATA_DAMAGED',
    message: /node\.json is missing beside a journal/,
  });
  t.notOk(existsSync(join(path, 'node.json')), 'and none is made');
  t.end();
});

t.test('a file that is no identity is damage, never a new beginning', (t) => {
  const { path } = scratch(t);
  new IdentityStore(path, N1);
  const file = join(path, 'node.json');
  const good = JSON.parse(readFileSync(file, 'utf8'));
  for (const text of ['', '{', '[]', JSON.stringify({ ...good, version: 1 })]) {
    writeFileSync(file, text);
    t.throws(() => new IdentityStore(path, N1), { code: 'DATA_DAMAGED' }, JSON.stringify(text));
    t.equal(readFileSync(file, 'utf8'), text);
  }
  t.end();
});
