/**
 * Which test files there are, which of them want the machine for themselves, and
 * how long each may take.
 *
 * The list comes from the sources: what an earlier build left behind is not run.
 */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface TestFile {
  /** Path of the source below the project, for instance `test/net/frame.test.ts`. */
  readonly source: string;
  readonly program: string;
  /** Why nothing else may run meanwhile; undefined when it may. */
  readonly aloneBecause: string | undefined;
  readonly limitSeconds: number;
}

interface Solitary {
  readonly under: string;
  readonly because: string;
  readonly limitSeconds: number;
}

const LIMIT_SECONDS = 120;

/** Suites that measure or need what two cores shared with others can not promise. */
const SOLITARY: readonly Solitary[] = [
  {
    under: 'test/demo/',
    because: 'its witness samples processes every few milliseconds, its nodes keep short leases',
    limitSeconds: 240,
  },
  {
    under: 'test/sim/campaign.test.ts',
    because: 'it works on all cores',
    limitSeconds: 600,
  },
  {
    under: 'test/service/address-ip.test.ts',
    because: 'it measures when an address is gone',
    limitSeconds: LIMIT_SECONDS,
  },
  {
    under: 'test/service/guardian',
    because: 'it measures when a service is gone, and what sleeps longer than it may',
    limitSeconds: LIMIT_SECONDS,
  },
  {
    under: 'test/lab/',
    because: 'its observer calls a gap of more than 100 ms a void run',
    limitSeconds: 400,
  },
  {
    under: 'test/e2e/',
    because: 'its daemons must keep leases of a second or less',
    limitSeconds: 600,
  },
];

/** All test files of the project in `root`: first those that may share the machine. */
export function findTestFiles(root: string): readonly TestFile[] {
  const names = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' });
  const sources = names.filter((name) => name.endsWith('.test.ts')).map((name) => `test/${name}`);
  const files = sources.sort().map((source) => testFileOf(root, source));
  return files.toSorted((a, b) => Number(isAlone(a)) - Number(isAlone(b)));
}

/** Those whose path holds one of the filters; all of them without a filter. */
export function choose(
  files: readonly TestFile[],
  filters: readonly string[],
): readonly TestFile[] {
  if (filters.length === 0) return files;
  return files.filter(({ source }) => filters.some((filter) => source.includes(filter)));
}

export function isAlone({ aloneBecause }: TestFile): boolean {
  return aloneBecause !== undefined;
}

function testFileOf(root: string, source: string): TestFile {
  const program = join(root, 'build', source.replace(/\.ts$/, '.js'));
  if (!existsSync(program)) throw new Error(`${program} is missing: run "npm run build:test"`);
  const solitary = SOLITARY.find(({ under }) => source.startsWith(under));
  return {
    source,
    program,
    aloneBecause: solitary?.because,
    limitSeconds: solitary?.limitSeconds ?? LIMIT_SECONDS,
  };
}
