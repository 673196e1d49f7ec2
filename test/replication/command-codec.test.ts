/** Commands: what was encoded is decoded as it was, and nothing else is accepted. */

import fc from 'fast-check';
import t from 'tap';
import type { Change } from '../../src/replication/command/change.ts';
import {
  decodeCommand,
  encodeChanges,
  encodeDecree,
  isFileName,
} from '../../src/replication/command/codec.ts';
import type { Decree } from '../../src/replication/command/decree.ts';

const meta = { mode: 0o640, uid: 8, gid: 12, mtimeSeconds: -3, mtimeNanoseconds: 999_999_999 };
const hash = Buffer.alloc(32, 9);
const placed = { volume: 2, id: 70_000, parent: 5, name: Buffer.from([0xff, 0x0a, 0x41]) };
const changes: Change[] = [
  {
    kind: 'put',
    ...placed,
    meta,
    chunks: [{ hash, bytes: 3 }],
    data: Buffer.from('abc'),
    fuzzy: true,
  },
  { kind: 'put', ...placed, meta, chunks: [], data: undefined, fuzzy: false },
  { kind: 'mkdir', ...placed, meta },
  { kind: 'symlink', ...placed, meta, target: Buffer.from('../elsewhere') },
  { kind: 'rename', ...placed },
  { kind: 'remove', volume: 2, id: 9 },
  { kind: 'setmeta', volume: 2, id: 9, meta },
  { kind: 'chunk', hash, data: Buffer.alloc(1000, 1) },
];
const decrees: Decree[] = [
  { kind: 'tenure', term: 4, holder: 'a' },
  { kind: 'handover', term: 4, holder: 'a', to: 'b' },
  { kind: 'baseline', origin: 'a', volumes: [{ name: 'm', files: 1, bytes: 2, treeHash: 'x' }] },
  { kind: 'barrier', id: 7 },
  { kind: 'floor', index: 100 },
  { kind: 'settings', leaseMs: 6000 },
  {
    kind: 'history',
    record: {
      epoch: 3,
      event: 'failover',
      from: 'a',
      to: 'b',
      cause: 'lease over',
      atMs: 1,
      phases: [{ name: 'elected', ms: 2.5 }],
    },
  },
];

t.test('every kind of change and decree arrives as it was', async (t) => {
  t.same(decodeCommand(encodeChanges(changes)), { kind: 'changes', changes });
  for (const decree of decrees) {
    t.same(decodeCommand(encodeDecree(decree)), { kind: 'decree', decree }, decree.kind);
  }
});

t.test('changed bytes are a command or are refused, and never crash', async (t) => {
  const all = [encodeChanges(changes), ...decrees.map(encodeDecree)];
  fc.assert(
    fc.property(fc.nat(all.length - 1), fc.nat(2000), fc.nat(255), (which, at, value) => {
      const bytes = Buffer.from(all[which] as Buffer);
      bytes[at % bytes.length] = value;
      try {
        decodeCommand(bytes);
        return true;
      } catch (error) {
        return (error as { code?: string }).code === 'DATA_INVALID';
      }
    }),
    { numRuns: 3000 },
  );
  t.pass('3000 changed commands');
});

t.test('a name that leads elsewhere is none', async (t) => {
  for (const name of ['', '.', '..', 'a/b', '/', 'a\0', 'x'.repeat(256)]) {
    t.notOk(isFileName(Buffer.from(name)), JSON.stringify(name));
  }
  for (const name of ['a', '...', '.x', '..x', 'x'.repeat(255), '\n', 'é']) {
    t.ok(isFileName(Buffer.from(name)), JSON.stringify(name));
  }
});
