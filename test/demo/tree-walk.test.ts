/** The tree walker sees every difference there can be, whatever the names are. */

import { chmodSync, lutimesSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { compareTrees } from '../../src/cli/demo/tree-compare.ts';
import { walkTree } from '../../src/cli/demo/tree-walk.ts';

const WHEN = new Date('2024-02-03T04:05:06.789Z');
const SHA256_OF_HELLO = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';

/** The same small tree each time, times and all. */
function plant(t: Test, name: string): string {
  const root = join(t.testdirName, name);
  mkdirSync(join(root, 'dir', 'empty'), { recursive: true });
  mkdirSync(join(root, '.mailraft'));
  mkdirSync(join(root, 'dir', '.mailraft'));
  writeFileSync(join(root, 'dir', 'hello'), 'hello');
  writeFileSync(join(root, '.mailraft', 'own'), name);
  writeFileSync(join(root, 'new\nline'), 'n');
  writeFileSync(bytesPath(root, [0x66, 0xff, 0xfe]), 'raw');
  symlinkSync('dir/hello', join(root, 'link'));
  symlinkSync('nowhere', join(root, 'dangling'));
  for (const link of ['link', 'dangling']) lutimesSync(join(root, link), WHEN, WHEN);
  utimesSync(bytesPath(root, [0x66, 0xff, 0xfe]), WHEN, WHEN);
  for (const path of ['dir/hello', 'new\nline', 'dir/empty', 'dir/.mailraft', 'dir']) {
    utimesSync(join(root, path), WHEN, WHEN);
  }
  return root;
}

function bytesPath(root: string, bytes: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(bytes)]);
}

async function differences(a: string, b: string): Promise<readonly string[]> {
  return compareTrees(await walkTree(a), await walkTree(b)).texts;
}

t.test('a walk reads everything but the folder of mailraft at the root', async (t) => {
  t.testdir();
  const tree = await walkTree(plant(t, 'a'));
  t.same(
    [...tree.keys()],
    [
      ...['dangling', 'dir', 'dir/.mailraft', 'dir/empty', 'dir/hello'],
      ...['f\xff\xfe', 'link', 'new\nline'],
    ],
  );
  t.match(tree.get('dir/hello'), { type: 'file', size: 5, sha256: SHA256_OF_HELLO });
  t.equal(tree.get('dir/hello')?.mtimeNs, BigInt(WHEN.getTime()) * 1_000_000n);
  t.match(tree.get('link'), { type: 'symlink', target: 'dir/hello', sha256: '' });
  t.match(tree.get('dangling'), { type: 'symlink', target: 'nowhere' });
  t.match(tree.get('dir/empty'), { type: 'directory', size: 0 });
});

t.test('two trees that were made alike are equal', async (t) => {
  t.testdir();
  t.same(await differences(plant(t, 'a'), plant(t, 'b')), []);
});

t.test('every kind of difference is named with its path', async (t) => {
  const changes: Record<string, { change: (root: string) => void; says: RegExp }> = {
    content: {
      change: (root) => {
        writeFileSync(join(root, 'dir', 'hello'), 'hellO');
        utimesSync(join(root, 'dir', 'hello'), WHEN, WHEN);
      },
      says: /^"dir\/hello": sha256 2cf24/,
    },
    length: {
      change: (root) => writeFileSync(join(root, 'dir', 'hello'), 'hello!'),
      says: /"dir\/hello": mtimeNs .*, size 5 \/ 6, sha256/,
    },
    mode: {
      change: (root) => chmodSync(join(root, 'dir'), 0o2750),
      says: /"dir": mode \d+ \/ 2750/,
    },
    'time to the nanosecond': {
      change: (root) => utimesSync(join(root, 'new\nline'), 1.5, 1.000001),
      says: /^"new\\nline": mtimeNs \d+ \/ 100000/,
    },
    'time of a link': {
      change: (root) => lutimesSync(join(root, 'link'), 1, 1),
      says: /^"link": mtimeNs/,
    },
    'time of a directory': {
      change: (root) => utimesSync(join(root, 'dir', 'empty'), 1, 1),
      says: /^"dir\/empty": mtimeNs/,
    },
    'raw bytes': {
      change: (root) => writeFileSync(bytesPath(root, [0x66, 0xff, 0xfd]), ''),
      says: /^"fÿý": only in the second/,
    },
    'a new directory': {
      change: (root) => mkdirSync(join(root, 'more')),
      says: /^"more": only in the second/,
    },
  };
  t.testdir();
  for (const [name, { change, says }] of Object.entries(changes)) {
    const [a, b] = [plant(t, `${name} a`), plant(t, `${name} b`)];
    change(b);
    const texts = await differences(a, b);
    t.equal(texts.length, 1, name);
    t.match(texts[0], says);
    t.equal((await differences(b, a)).length, 1, 'from both sides');
  }
});

t.test('a link is not what it points to', async (t) => {
  t.testdir();
  const [a, b] = [plant(t, 'a'), plant(t, 'b')];
  writeFileSync(join(a, 'same'), 'hello');
  symlinkSync('dir/hello', join(b, 'same'));
  t.match(await differences(a, b), [/"same": type file \/ symlink/]);
});

t.test('times of directories can be left out, those of files cannot', async (t) => {
  t.testdir();
  const [a, b] = [plant(t, 'a'), plant(t, 'b')];
  utimesSync(join(b, 'dir', 'empty'), 1, 1);
  const trees = [await walkTree(a), await walkTree(b)] as const;
  t.equal(compareTrees(...trees, { ignoreDirectoryMtimes: true }).count, 0);
  utimesSync(join(b, 'dir', 'hello'), 1, 1);
  const changed = await walkTree(b);
  t.equal(compareTrees(trees[0], changed, { ignoreDirectoryMtimes: true }).count, 1);
});

t.test('many differences are counted and the first twenty shown', async (t) => {
  t.testdir();
  const [a, b] = [plant(t, 'a'), plant(t, 'b')];
  for (let n = 0; n < 100; n += 1) writeFileSync(join(b, `more-${n}`), '');
  const found = compareTrees(await walkTree(a), await walkTree(b));
  t.equal(found.count, 100);
  t.equal(found.texts.length, 20);
});
