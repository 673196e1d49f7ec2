/** The verdict: a good run breaks nothing, and each kind of bad run breaks its promise. */

import t from 'tap';
import type { Tree, TreeEntry } from '../../src/cli/demo/tree-compare.ts';
import { type Evidence, judge, type Verdict } from '../../src/cli/demo/verdict.ts';

const NODES = ['a', 'b', 'c'];
const COUNT = 600;
/** The daemon of `a` dies here; its service lives on until 3,400 and `b` serves from 4,000. */
const KILL_AT_MS = 3_000;

/** Message `n` is answered at `10 n`: 0 to 2,990 before the kill, then from 4,000 on. */
function answeredAtMs(n: number): number {
  return n < 300 ? n * 10 + 5 : 1_000 + n * 10 + 5;
}

function digest(n: number): string {
  return `digest-${n}`;
}

function file(sha256: string): TreeEntry {
  const meta = { mode: 0o600, uid: 0, gid: 0, mtimeNs: 1n, target: '' };
  return { type: 'file', ...meta, size: 1, sha256 };
}

function treeOf(numbers: readonly number[]): Tree {
  return new Map(numbers.map((n) => [`new/${n}.eml`, file(digest(n))]));
}

const everyNumber = [...Array(COUNT).keys()];

/** Barriers one after the other, each of 40 ms, but none while nobody leads. */
function barriers(): Evidence['barriers'] {
  return everyNumber
    .map((n) => ({ requestedAtMs: n * 50, answeredAtMs: n * 50 + 40, ok: true }))
    .filter(({ answeredAtMs: at }) => at < KILL_AT_MS || at > 4_100);
}

/** The last five messages before the kill were not covered and are in salvage. */
const lostNumbers = [296, 297, 298, 299];
const keptNumbers = everyNumber.filter((n) => !lostNumbers.includes(n));

function goodRun(): Evidence {
  return {
    answered: everyNumber.map((n) => ({
      ...{ id: `m-${n}`, digest: digest(n), bytes: 1, answeredAtMs: answeredAtMs(n) },
    })),
    barriers: barriers(),
    kills: [{ atMs: KILL_AT_MS, what: 'daemon', node: 'a' }],
    trees: NODES.map((node) => ({ node, tree: treeOf(keptNumbers) })),
    salvage: lostNumbers.map((n) => ({ node: 'a', path: `new/${n}.eml`, digest: digest(n) })),
    services: {
      intervals: [
        { node: 'a', pid: 1, startMs: 0, endMs: 3_400 },
        { node: 'b', pid: 2, startMs: 4_000, endMs: 8_000 },
      ],
      doubles: [],
      doubleCount: 0,
      samples: 800,
      longestGapMs: 24,
    },
    treeHashes: NODES.map((node) => ({ node, hash: 'h', index: 9 })),
  };
}

function brokenIn(verdict: Verdict): string[] {
  return [...new Set(verdict.broken.map(({ promise }) => promise))].sort();
}

function judgeWith(change: Partial<Evidence>): string[] {
  return brokenIn(judge({ ...goodRun(), ...change }));
}

/** The good run's trees, with one node's made of other numbers. */
function treesWith(node: string, numbers: readonly number[]): Evidence['trees'] {
  return NODES.map((each) => ({ node: each, tree: treeOf(each === node ? numbers : keptNumbers) }));
}

function without(...gone: readonly number[]): number[] {
  return keptNumbers.filter((n) => !gone.includes(n));
}

t.test('a good run breaks nothing and has its figures', async (t) => {
  const { broken, figures } = judge(goodRun());
  t.same(broken, []);
  t.match(figures, { answered: 600, salvaged: 4, samples: 800, longestGapMs: 24 });
  // The last barrier before the kill was asked at 2,950 and covers 0 to 294.
  t.match(figures.kills, [{ node: 'a', answered: 300, covered: 295, uncovered: 5 }]);
  t.equal(figures.covered, 595);
});

t.test('a covered message that one node lacks is named', async (t) => {
  const verdict = judge({ ...goodRun(), trees: treesWith('b', without(100)) });
  t.same(brokenIn(verdict), ['covered-on-every-node', 'trees-equal']);
  t.match(verdict.broken[0]?.text, /m-100/);
});

t.test('a covered message with other bytes is as good as missing', async (t) => {
  const damaged = new Map(treeOf(keptNumbers)).set('new/100.eml', file('other'));
  const trees = NODES.map((node) => ({ node, tree: damaged }));
  t.same(judgeWith({ trees }), ['answered-exists', 'covered-on-every-node']);
});

t.test('a covered message in salvage is not enough', async (t) => {
  const trees = NODES.map((node) => ({ node, tree: treeOf(without(100)) }));
  const salvage = [{ node: 'a', path: 'x', digest: digest(100) }, ...goodRun().salvage];
  t.same(judgeWith({ trees, salvage }), ['covered-on-every-node']);
});

t.test('a covered message may stand under any name', async (t) => {
  const moved = new Map(treeOf(without(100))).set('cur/moved', file(digest(100)));
  t.same(judgeWith({ trees: NODES.map((node) => ({ node, tree: moved })) }), []);
});

t.test('an uncovered message is lost when neither all nodes nor salvage have it', async (t) => {
  const salvage = goodRun().salvage.filter(({ digest: each }) => each !== digest(297));
  t.same(judgeWith({ salvage }), ['answered-exists', 'uncovered-kept']);
  const trees = treesWith('c', [...keptNumbers, 297]);
  t.same(judgeWith({ salvage, trees }), ['trees-equal', 'uncovered-kept']);
  const everywhere = NODES.map((node) => ({ node, tree: treeOf([...keptNumbers, 297]) }));
  t.same(judgeWith({ salvage, trees: everywhere }), []);
});

t.test('a barrier of the successor does not cover what the old service accepted', async (t) => {
  // Answered while the orphaned service of `a` was still running, after its daemon died.
  const late = { id: 'late', digest: 'late', bytes: 1, answeredAtMs: 3_200 };
  const answered = [...goodRun().answered, late];
  const salvage = [...goodRun().salvage, { node: 'a', path: 'late', digest: 'late' }];
  t.same(judgeWith({ answered, salvage }), [], 'salvage is where it belongs');
  t.same(judgeWith({ answered }), ['answered-exists', 'uncovered-kept']);
});

t.test('a barrier counts when it was asked after the 250 and answered ok in time', async (t) => {
  const first = { id: 'm', digest: 'm', bytes: 1, answeredAtMs: 100 };
  const figuresOf = (barrier: Evidence['barriers'][number]) =>
    judge({
      ...goodRun(),
      answered: [first],
      barriers: [barrier],
    }).figures;
  const good = { requestedAtMs: 101, answeredAtMs: 2_999, ok: true };
  t.match(figuresOf(good), { covered: 1, kills: [{ covered: 1 }] });
  t.match(figuresOf({ ...good, requestedAtMs: 99 }), { covered: 0 }, 'asked too early');
  t.match(figuresOf({ ...good, ok: false }), { covered: 0 }, 'failed');
  t.match(figuresOf({ ...good, answeredAtMs: 3_100 }), { covered: 1, kills: [{ covered: 0 }] });
  t.match(figuresOf({ ...good, answeredAtMs: 3_500 }), { covered: 0 }, 'service had ended');
});

t.test('a restart of the service in place does not end what its barriers cover', async (t) => {
  const services = {
    ...goodRun().services,
    intervals: [
      { node: 'a', pid: 1, startMs: 0, endMs: 1_000 },
      { node: 'a', pid: 3, startMs: 1_200, endMs: 3_400 },
      { node: 'b', pid: 2, startMs: 4_000, endMs: 8_000 },
    ],
  };
  const { figures, broken } = judge({ ...goodRun(), services });
  t.same(broken, []);
  t.equal(figures.covered, 595);
});

t.test('too few covered messages at a kill', async (t) => {
  const sparse = barriers().filter(({ requestedAtMs: at }) => at < 2_350 || at > 4_000);
  t.same(judgeWith({ barriers: sparse }), ['coverage-floor'], '235 of 300');
  t.same(judgeWith({ barriers: sparse, coverageFloor: 0.75 }), []);
  const kills = [{ atMs: 1, what: 'daemon', node: 'a' }];
  t.same(judgeWith({ kills }), ['coverage-floor'], 'a kill before any message proves nothing');
});

t.test('a message left behind by a planned move', async (t) => {
  const switchovers = [{ atMs: 3_300 }];
  t.same(judgeWith({ switchovers, kills: [] }), ['switchover-lossless']);
  t.same(judgeWith({ switchovers }), ['switchover-lossless'], 'a kill before it excuses nothing');
  const kills = [{ atMs: 3_350, what: 'daemon', node: 'a' }];
  t.same(judgeWith({ switchovers, kills }), [], 'a kill in its middle does');
});

t.test('tree hashes that differ, or are of different indexes', async (t) => {
  const [first, ...others] = goodRun().treeHashes;
  if (first === undefined) throw new Error('no tree hash');
  t.same(judgeWith({ treeHashes: [{ ...first, hash: 'x' }, ...others] }), ['tree-hash-equal']);
  t.same(judgeWith({ treeHashes: [...others, { ...first, index: 8 }] }), ['tree-hash-equal']);
});

t.test('walked trees that differ although every message is there', async (t) => {
  const more = new Map(treeOf(keptNumbers)).set('new/more.eml', file('more'));
  const trees = [...goodRun().trees.slice(0, 2), { node: 'c', tree: more }];
  const verdict = judge({ ...goodRun(), trees });
  t.same(brokenIn(verdict), ['trees-equal']);
  t.match(
    verdict.broken[0]?.text,
    /a and c differ in 1 places: "new\/more.eml": only in the second/,
  );
});

t.test('two services at once', async (t) => {
  const services = {
    ...goodRun().services,
    doubleCount: 3,
    doubles: [
      {
        atMs: 3_300,
        services: [
          { node: 'a', pid: 1 },
          { node: 'b', pid: 2 },
        ],
      },
    ],
  };
  const verdict = judge({ ...goodRun(), services });
  t.same(brokenIn(verdict), ['one-service']);
  t.match(verdict.broken[0]?.text, /a \(pid 1\) and b \(pid 2\) at 3300 ms/);
});

t.test('a sampler that slept makes the run void', async (t) => {
  const { services } = goodRun();
  t.same(judgeWith({ services: { ...services, longestGapMs: 100 } }), ['sampler-awake']);
  t.same(judgeWith({ services: { ...services, samples: 0 } }), ['sampler-awake']);
});

t.test('too few messages', async (t) => {
  t.same(judgeWith({ minMessages: 601 }), ['enough-messages']);
  t.same(judgeWith({ minMessages: 600 }), []);
});

t.test('an answered message that is nowhere', async (t) => {
  const trees = NODES.map((node) => ({ node, tree: treeOf(without(500)) }));
  const verdict = judge({ ...goodRun(), trees });
  t.same(brokenIn(verdict), ['answered-exists', 'covered-on-every-node']);
});

t.test('evidence that is missing keeps no promise', async (t) => {
  const { trees, treeHashes, services } = goodRun();
  t.ok(judgeWith({ trees: [] }).includes('evidence-complete'));
  t.same(judgeWith({ trees: trees.slice(0, 2) }), ['evidence-complete']);
  t.same(judgeWith({ treeHashes: treeHashes.slice(1) }), ['evidence-complete']);
  t.ok(judgeWith({ barriers: [] }).includes('coverage-floor'));
  t.ok(judgeWith({ services: { ...services, intervals: [] } }).includes('coverage-floor'));
});
