/**
 * The arrows of ARCHITECTURE.md: which room may use which, and that what decides
 * does not act. A forbidden import fails here.
 */

import t from 'tap';
import { globalsOf, type Reference, referencesOf } from './support/imports.ts';
import { type Sources, sourcesOf } from './support/sources.ts';

interface Room {
  /** Begin of the paths of its files; where two rooms fit, the longer name counts. */
  readonly name: string;
  /** Rooms whose code it may use. */
  readonly uses: readonly string[];
  /** Rooms of which it may know types alone. */
  readonly knows?: readonly string[];
}

/** Every room may use these, but the core and they themselves. */
const GROUND = ['src/errors.ts', 'src/platform/'] as const;
const CONFIG = ['src/config/'] as const;
const CLI = [...GROUND, ...CONFIG, 'src/cli/'];
const REPORTS = ['src/net/http/node-port.ts'];

const ROOMS: readonly Room[] = [
  { name: 'src/errors.ts', uses: [] },
  { name: 'src/platform/', uses: ['src/errors.ts'] },
  { name: 'src/consensus/core/', uses: ['src/errors.ts'] },
  { name: 'src/consensus/host/', uses: [...GROUND, 'src/consensus/core/'], knows: CONFIG },
  {
    name: 'src/journal/',
    uses: [...GROUND, 'src/consensus/host/', 'src/consensus/core/'],
    knows: CONFIG,
  },
  { name: 'src/replication/', uses: GROUND, knows: CONFIG },
  { name: 'src/service/', uses: [...GROUND, 'src/service/'], knows: CONFIG },
  { name: 'src/service/decide/', uses: ['src/errors.ts'] },
  { name: 'src/service/tenure/', uses: ['src/errors.ts'] },
  {
    name: 'src/net/transport/',
    uses: [...GROUND, 'src/consensus/host/', 'src/consensus/core/'],
    knows: CONFIG,
  },
  { name: 'src/net/http/', uses: GROUND, knows: CONFIG },
  // The timings that it checks are the ones that the lease and the guardian keep.
  {
    name: 'src/config/',
    uses: [...GROUND, 'src/consensus/host/lease.ts', 'src/service/tenure/'],
  },
  {
    name: 'src/daemon/',
    uses: [
      ...GROUND,
      ...CONFIG,
      ...['src/net/', 'src/service/', 'src/replication/', 'src/journal/', 'src/consensus/'],
    ],
  },
  // A node is talked to through HTTP alone, whose answers have the types of the reports.
  { name: 'src/cli/', uses: CLI, knows: REPORTS },
  { name: 'src/cli/run', uses: [...CLI, 'src/daemon/'], knows: REPORTS },
  { name: 'src/cli/supervise.ts', uses: [...CLI, 'src/daemon/'], knows: REPORTS },
  { name: 'examples/', uses: [] },
];

/** Files without clock, socket, file or randomness: they import nothing but each other. */
const PURE: readonly string[] = [
  'src/errors.ts',
  'src/consensus/core/',
  'src/consensus/host/lease.ts',
  'src/consensus/host/silence.ts',
  'src/consensus/host/tenure-records.ts',
  'src/service/decide/',
  'src/service/tenure/',
  'src/config/config.ts',
  'src/config/timings.ts',
  'src/config/units.ts',
  'src/net/http/node-port.ts',
];

/** What is there without being imported, and reads a clock, draws or waits. */
const ACTING: ReadonlySet<string> = new Set([
  ...['Date', 'performance', 'Math.random', 'crypto', 'process', 'fetch'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
]);

function roomOf(path: string): Room | undefined {
  const fitting = ROOMS.filter(({ name }) => path.startsWith(name));
  return fitting.toSorted((a, b) => b.name.length - a.name.length)[0];
}

function isPure(path: string): boolean {
  return PURE.some((begin) => path.startsWith(begin));
}

/** Every reference that no arrow allows, in words. */
function forbidden(sources: Sources): readonly string[] {
  return [...sources].flatMap(([path, text]) => {
    const room = roomOf(path);
    if (room === undefined) return [`${path}: belongs to no room`];
    const acts = isPure(path) ? globalsOf(path, text, ACTING) : [];
    return [
      ...acts.map(({ name, line }) => `${path}:${line}: is pure and uses ${name}`),
      ...referencesOf(path, text).flatMap((reference) => {
        const reason = objection(path, room, reference);
        return reason === undefined ? [] : [`${path}:${reference.line}: ${reason}`];
      }),
    ];
  });
}

function objection(path: string, room: Room, { target, isType }: Reference): string | undefined {
  const isFile = /^(src|test|examples|bench)\//.test(target);
  if (isPure(path) && !isType && !isPure(target)) {
    return `is pure and uses ${target}`;
  }
  if (!isFile) return undefined;
  const inside = roomOf(target);
  if (inside === room) return undefined;
  const fits = (allowed: string): boolean => target.startsWith(allowed);
  if (room.uses.some(fits) || (isType && room.knows?.some(fits))) return undefined;
  return `${room.name} may not ${isType ? 'know' : 'use'} ${target}`;
}

/** What is wrong with one file of this text at this path. */
function wrong(path: string, text: string): readonly string[] {
  return forbidden(new Map([[path, text]]));
}

t.test('no import goes against the arrows', async (t) => {
  const sources = sourcesOf(['src', 'examples'], ['.ts']);
  t.ok(sources.size > 100, `${sources.size} files`);
  t.same(forbidden(sources), []);
});

t.test('every room and every pure file of the tables is there', async (t) => {
  const paths = [...sourcesOf(['src', 'examples'], ['.ts']).keys()];
  const names = [...ROOMS.map(({ name }) => name), ...PURE];
  t.same(
    names.filter((name) => !paths.some((path) => path.startsWith(name))),
    [],
  );
});

t.test('a forbidden import is found in whatever form it comes', async (t) => {
  const forms = [
    "import { x } from '../daemon/a.ts';",
    "import '../daemon/a.ts';",
    "import type { X } from '../daemon/a.ts';",
    "export { x } from '../daemon/a.ts';",
    "const x = await import('../daemon/a.ts');",
    "new Worker(new URL('../daemon/a.js', import.meta.url));",
    "type X = import('../daemon/a.ts').X;",
    '/* a */ import {\n  x,\n} from "../daemon/a.ts";',
  ];
  for (const form of forms) {
    const [found] = wrong('src/replication/file.ts', form);
    t.match(
      found,
      /^src\/replication\/file\.ts:1: src\/replication\/ may not .* src\/daemon\/a\.ts/,
    );
  }
  t.same(wrong('src/replication/file.ts', "// import { x } from '../daemon/a.ts';"), []);
  t.same(wrong('src/replication/file.ts', 'const text = "import \'../daemon/a.ts\'";'), []);
});

t.test('the rooms that must not know each other are kept apart', async (t) => {
  const pairs = [
    ['src/replication/file.ts', '../service/decide/decide.ts'],
    ['src/service/guardian/main.ts', '../../replication/parts.ts'],
    ['src/service/guardian/main.ts', '../../net/http/node-port.ts'],
    ['src/consensus/core/step.ts', '../../platform/linux/clock.ts'],
    ['src/consensus/host/lease.ts', '../../journal/journal.ts'],
    ['src/net/http/http-server.ts', '../../daemon/start-node.ts'],
    ['src/cli/status.ts', '../daemon/start-node.ts'],
    ['src/cli/status.ts', '../net/http/http-server.ts'],
    ['src/cli/demo/verdict.ts', '../../replication/index/file-index.ts'],
    ['src/daemon/start-node.ts', '../cli/main.ts'],
    ['src/journal/journal.ts', '../../test/support/until.ts'],
    ['src/daemon/start-node.ts', '../../bench/measure/statistics.ts'],
    ['examples/mail/server.ts', '../../src/errors.ts'],
  ] as const;
  for (const [path, target] of pairs) {
    t.equal(wrong(path, `import { x } from '${target}';`).length, 1, `${path} -> ${target}`);
  }
});

t.test('types may be known where code may not be used', async (t) => {
  const port = '../net/http/node-port.ts';
  t.same(wrong('src/cli/status.ts', `import type { X } from '${port}';`), []);
  t.same(wrong('src/cli/status.ts', `import { type X } from '${port}';`), []);
  t.equal(wrong('src/cli/status.ts', `import { type X, y } from '${port}';`).length, 1);
});

t.test('what is pure uses neither node nor packages nor what acts', async (t) => {
  const pure = 'src/service/decide/decide.ts';
  for (const target of ['node:fs', 'node:crypto', 'level', '../guardian/main.ts', 'node:net']) {
    t.match(wrong(pure, `import { x } from '${target}';`)[0], /is pure and uses/, target);
  }
  t.same(wrong(pure, "import { assert } from '../../errors.ts';"), []);
  for (const call of ['Date.now()', 'Math.random()', 'setTimeout(f, 1)', 'process.pid']) {
    t.match(wrong(pure, `const x = ${call};`)[0], /is pure and uses/, call);
  }
  t.same(wrong(pure, 'const x = Math.max(y.process, y.crypto) ; // Date.now()'), []);
});

t.test('a file outside of every room is found', async (t) => {
  t.same(wrong('src/helpers/misc.ts', ''), ['src/helpers/misc.ts: belongs to no room']);
});
