/**
 * Capture: whatever is done in a volume arrives in its copy, and a barrier's answer
 * means that it did (safety rules 17-20).
 */

import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Pair } from './pair.ts';

// The machine may be busy with other things.
t.setTimeout(120_000);

async function opened(t: Test): Promise<{ pair: Pair; at: (path: string) => string }> {
  const pair = await Pair.open(t);
  return { pair, at: (path) => join(pair.primary.path, path) };
}

async function equal(t: Test, pair: Pair, message: string): Promise<void> {
  t.same(await pair.settle(), [], `${message}: all covered`);
  t.same(await pair.differences(), [], message);
  t.equal(pair.primary.treeHash, pair.follower.treeHash, `${message}: equal hashes`);
}

const kinds = (pair: Pair) => pair.changes.map(({ kind }) => kind);

t.test('a mail delivered through tmp and new arrives', async (t) => {
  const { pair, at } = await opened(t);
  for (const name of ['tmp', 'new', 'cur']) mkdirSync(at(name));
  writeFileSync(at('tmp/1'), 'a mail');
  renameSync(at('tmp/1'), at('new/1.eml'));
  await equal(t, pair, 'after delivery');
  renameSync(at('new/1.eml'), at('cur/1.eml'));
  unlinkSync(at('cur/1.eml'));
  await equal(t, pair, 'after reading and deleting');
});

t.test('a rename costs a name, not the content', async (t) => {
  const { pair, at } = await opened(t);
  mkdirSync(at('a'));
  writeFileSync(at('a/big'), Buffer.alloc(200_000, 1));
  await equal(t, pair, 'before');
  pair.changes.length = 0;
  renameSync(at('a/big'), at('a/bigger'));
  renameSync(at('a'), at('b'));
  await equal(t, pair, 'after two renames');
  t.same(
    kinds(pair).filter((kind) => kind === 'put'),
    [],
  );
  t.equal(kinds(pair).filter((kind) => kind === 'rename').length, 2);
});

t.test('every kind of file and metadata arrives', async (t) => {
  const { pair, at } = await opened(t);
  mkdirSync(at('d/e/f'), { recursive: true });
  writeFileSync(at('d/empty'), '');
  writeFileSync(at('d/e/f/large'), Buffer.alloc(3_000_000, 'xyz'));
  symlinkSync('../nowhere', at('d/dangling'));
  writeFileSync(Buffer.from(`${at('d')}/\xff\n\x01`, 'latin1'), 'strange name');
  writeFileSync(at(`d/${'n'.repeat(255)}`), 'long name');
  chmodSync(at('d/empty'), 0o4751);
  chmodSync(at('d/e'), 0o2770);
  utimesSync(at('d/e/f'), 1000.5, 2000.25);
  await equal(t, pair, 'all kinds');
});

t.test('a directory tree made in one breath arrives with what is in it', async (t) => {
  const { pair, at } = await opened(t);
  for (let round = 0; round < 20; round += 1) {
    mkdirSync(at(`${round}/a/b/c`), { recursive: true });
    writeFileSync(at(`${round}/a/b/c/file`), `${round}`);
    renameSync(at(`${round}/a`), at(`${round}/moved`));
    writeFileSync(at(`${round}/moved/b/c/later`), `${round}`);
  }
  await equal(t, pair, 'twenty trees');
});

t.test("files, directories and links take each other's names", async (t) => {
  const { pair, at } = await opened(t);
  writeFileSync(at('x'), 'file');
  mkdirSync(at('y'));
  writeFileSync(at('y/inside'), '1');
  symlinkSync('x', at('z'));
  await equal(t, pair, 'before');
  for (const name of ['x', 'y', 'z']) rmSync(at(name), { recursive: true });
  mkdirSync(at('x'));
  writeFileSync(at('x/inside'), '2');
  symlinkSync('x', at('y'));
  writeFileSync(at('z'), 'file');
  await equal(t, pair, 'after');
});

t.test('two names swapped, and a log rotated, end right', async (t) => {
  const { pair, at } = await opened(t);
  writeFileSync(at('a'), 'first');
  writeFileSync(at('b'), 'second');
  mkdirSync(at('d1'));
  mkdirSync(at('d2'));
  writeFileSync(at('d1/f'), '1');
  writeFileSync(at('d2/f'), '2');
  await equal(t, pair, 'before');
  for (const [x, y] of [
    ['a', 'b'],
    ['d1', 'd2'],
  ] as const) {
    renameSync(at(x), at('t'));
    renameSync(at(y), at(x));
    renameSync(at('t'), at(y));
  }
  await equal(t, pair, 'after the swaps');
  for (let round = 0; round < 5; round += 1) {
    renameSync(at('a'), at('a.1'));
    writeFileSync(at('a'), `round ${round}`);
  }
  await equal(t, pair, 'after the rotations');
});

t.test("what is pending in a directory survives the directory's rename", async (t) => {
  const { pair, at } = await opened(t);
  mkdirSync(at('d0'));
  await pair.settle();
  for (let round = 0; round < 30; round += 1) {
    writeFileSync(at(`d${round}/x${round}`), `${round}`);
    renameSync(at(`d${round}`), at(`d${round + 1}`));
    if (round % 3 === 0) {
      mkdirSync(at(`d${round}`));
      writeFileSync(at(`d${round}/other`), 'another');
    }
    if (round % 3 === 0) rmSync(at(`d${round}`), { recursive: true });
  }
  await equal(t, pair, 'thirty renames');
});

t.test('a second link to a file, and its first one gone, arrive as files', async (t) => {
  const { pair, at } = await opened(t);
  mkdirSync(at('new'));
  for (let round = 0; round < 20; round += 1) {
    writeFileSync(at(`t${round}`), `mail ${round}`);
    linkSync(at(`t${round}`), at(`new/${round}`));
    unlinkSync(at(`t${round}`));
  }
  await equal(t, pair, 'delivered by link and unlink');
});

t.test('a barrier covers the content of a file that is still open', async (t) => {
  const { pair, at } = await opened(t);
  const fd = openSync(at('open.log'), 'w');
  try {
    for (const line of ['one\n', 'two\n', 'three\n']) {
      writeSync(fd, line);
      t.same(await pair.settle(), []);
      const copy = readFileSync(join(pair.follower.path, 'open.log'), 'utf8');
      t.ok(copy.endsWith(line), line.trim());
    }
  } finally {
    closeSync(fd);
  }
  await equal(t, pair, 'closed');
});

t.test('barriers back to back under load each cover what was there before', async (t) => {
  const { pair, at } = await opened(t);
  mkdirSync(at('new'));
  for (let round = 0; round < 100; round += 1) {
    writeFileSync(at('tmp'), `mail ${round}`);
    renameSync(at('tmp'), at(`new/${round}`));
    const covered = pair.settle();
    writeFileSync(at(`new/later-${round}`), 'later');
    t.same(await covered, []);
    const copy = readFileSync(join(pair.follower.path, `new/${round}`), 'utf8');
    if (copy !== `mail ${round}`) t.fail(`mail ${round} is ${copy}`);
  }
  await equal(t, pair, 'after a hundred barriers');
});

t.test('a same-sized rewrite within one tick of the clock is seen', async (t) => {
  const { pair, at } = await opened(t);
  for (let round = 0; round < 200; round += 1) {
    writeFileSync(at('page'), `${round % 10}`.repeat(4096));
    if (round % 20 === 0) await pair.settle();
  }
  await equal(t, pair, 'after two hundred rewrites');
});

t.test('appending while being captured loses nothing', async (t) => {
  const { pair, at } = await opened(t);
  for (let round = 0; round < 300; round += 1) appendFileSync(at('grows'), `line ${round}\n`);
  await equal(t, pair, 'after three hundred appends');
});

t.test('more events than the kernel keeps are made up for', async (t) => {
  const { pair, at } = await opened(t);
  mkdirSync(at('many'));
  await pair.settle();
  // Another process, so that nothing is read while it floods the queue.
  const script = `
    const { writeFileSync, renameSync } = require('node:fs');
    for (let i = 0; i < 4000; i += 1) {
      writeFileSync('many/' + i, String(i));
      renameSync('many/' + i, 'many/r' + i);
    }`;
  spawnSync(process.execPath, ['-e', script], { cwd: pair.primary.path });
  await equal(t, pair, 'four thousand files');
  t.ok(pair.overflows > 0, 'the queue overflowed');
});

t.test('what is excluded is left alone', async (t) => {
  const pair = await Pair.open(t, ['*.lck', 'tmp/']);
  const at = (path: string) => join(pair.primary.path, path);
  mkdirSync(at('tmp'));
  mkdirSync(at('box'));
  writeFileSync(at('tmp/draft'), '1');
  writeFileSync(at('box/mail.lck'), '2');
  writeFileSync(at('box/mail'), '3');
  await pair.settle();
  t.same(
    pair.changes.flatMap((change) => ('name' in change ? [change.name.toString()] : [])).sort(),
    ['box', 'mail'],
  );
});

t.test('a pipe is reported and not copied', async (t) => {
  const { pair, at } = await opened(t);
  spawnSync('mkfifo', [at('pipe')]);
  writeFileSync(at('file'), 'x');
  await pair.settle();
  t.same(pair.unsupported, ['pipe']);
  t.equal(readFileSync(join(pair.follower.path, 'file'), 'utf8'), 'x');
});
