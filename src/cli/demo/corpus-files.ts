/**
 * The real files that messages are made of: documents, sources and pictures of the
 * installed packages, and the e-mail files of Debian's libpython3.11-testsuite where
 * that is installed. They are listed here and read only when a message needs them.
 */

import { access, lstat, readdir } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MailraftError, systemCode } from '../../errors.ts';

export interface SourceFile {
  readonly path: string;
  readonly bytes: number;
}

export interface SourceFiles {
  /** Text to write as a message's body. */
  readonly documents: readonly SourceFile[];
  readonly pictures: readonly SourceFile[];
  /** Everything, the above included, from the smallest to the largest. */
  readonly attachments: readonly SourceFile[];
  /** Whole e-mails, malformed ones among them. */
  readonly mails: readonly SourceFile[];
  /** Pictures and sounds that belong to them. */
  readonly mailParts: readonly SourceFile[];
}

const DOCUMENT_TYPES: ReadonlySet<string> = new Set(['.md', '.txt', '.html', '.yml', '']);
const PICTURE_TYPES: ReadonlySet<string> = new Set([
  '.png',
  '.jpg',
  '.jpeg',
  '.gif',
  '.svg',
  '.ico',
  '.webp',
]);
const OTHER_TYPES: ReadonlySet<string> = new Set([
  ...['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts', '.json', '.map', '.css'],
  ...['.c', '.cc', '.h', '.hh', '.py', '.zip', '.wasm', '.node'],
]);

/** Shorter ones of the packages only point to others. */
const PACKAGE_FILE_BYTES_MIN = 64;
const FILE_BYTES_MAX = 3 * 1024 * 1024;
const FILES_PER_PACKAGE_MAX = 60;
const PACKAGES_MAX = 400;
const TEST_MAILS = '/usr/lib/python3.11/test/test_email/data';
/** A package that mailraft itself needs: the folder that holds it holds the others. */
const KNOWN_PACKAGE = 'nodemailer';

/** Lists the files; the same installed tree gives the same lists in the same order. */
export async function findSourceFiles(): Promise<SourceFiles> {
  const found: SourceFile[] = [];
  for (const directory of await packageDirectories(await findInstalledPackages())) {
    found.push(...(await filesOfPackage(directory)));
  }
  const testMails = await filesOfDirectory(TEST_MAILS, () => true);
  const typeOf = ({ path }: SourceFile): string => extname(path).toLowerCase();
  return {
    documents: found.filter((file) => DOCUMENT_TYPES.has(typeOf(file))),
    pictures: found.filter((file) => PICTURE_TYPES.has(typeOf(file))),
    attachments: found.toSorted((a, b) => a.bytes - b.bytes || (a.path < b.path ? -1 : 1)),
    mails: testMails.filter((file) => typeOf(file) === '.txt'),
    mailParts: testMails.filter((file) => typeOf(file) !== '.txt'),
  };
}

/** The node_modules of a checkout, or the one that mailraft itself is installed in. */
async function findInstalledPackages(): Promise<string> {
  let directory = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const packages = join(directory, 'node_modules');
    if (await exists(join(packages, KNOWN_PACKAGE))) return packages;
    const parent = dirname(directory);
    if (parent === directory) {
      throw new MailraftError('NOT_FOUND', 'no node_modules with the packages of mailraft');
    }
    directory = parent;
  }
}

async function packageDirectories(packages: string): Promise<string[]> {
  const directories: string[] = [];
  for (const name of await sortedNames(packages)) {
    if (name.startsWith('.')) continue;
    const path = join(packages, name);
    if (name.startsWith('@')) {
      directories.push(...(await sortedNames(path)).map((scoped) => join(path, scoped)));
    } else {
      directories.push(path);
    }
  }
  return directories.slice(0, PACKAGES_MAX);
}

/** The files nearest to the package's root first, up to a bound. */
async function filesOfPackage(root: string): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  const directories = [root];
  for (const directory of directories) {
    const isWanted = (name: string): boolean => isUsable(extname(name).toLowerCase());
    const found = await filesOfDirectory(directory, isWanted);
    files.push(...found.filter(({ bytes }) => bytes >= PACKAGE_FILE_BYTES_MIN));
    if (files.length >= FILES_PER_PACKAGE_MAX) break;
    const entries = await readdir(directory, { withFileTypes: true });
    const below = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
    directories.push(...below.map((entry) => join(directory, entry.name)).sort());
  }
  return files.slice(0, FILES_PER_PACKAGE_MAX);
}

function isUsable(type: string): boolean {
  return DOCUMENT_TYPES.has(type) || PICTURE_TYPES.has(type) || OTHER_TYPES.has(type);
}

async function filesOfDirectory(
  directory: string,
  isWanted: (name: string) => boolean,
): Promise<SourceFile[]> {
  if (!(await exists(directory))) return [];
  const names = (await sortedNames(directory)).filter(isWanted);
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      const stat = await lstat(path);
      return { path, bytes: stat.size, isFile: stat.isFile() };
    }),
  );
  return files
    .filter(({ isFile, bytes }) => isFile && bytes > 0 && bytes <= FILE_BYTES_MAX)
    .map(({ path, bytes }) => ({ path, bytes }));
}

async function sortedNames(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    // A scope or a package may be a plain file; it holds no files then.
    if (systemCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
