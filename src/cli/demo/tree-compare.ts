/** What a walked tree is, and where two of them differ. Pure. */

export interface TreeEntry {
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
  /** Permission bits, set-id and sticky bits included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  /** Bytes of a file; 0 for everything else. */
  readonly size: number;
  /** SHA-256 of a file's content in hex; empty for everything else. */
  readonly sha256: string;
  /** Where a symlink points, its raw bytes as latin1; empty for everything else. */
  readonly target: string;
}

/** Entries by path below the root, sorted; a path is its raw bytes as latin1. */
export type Tree = ReadonlyMap<string, TreeEntry>;

export interface TreeDifference {
  readonly count: number;
  /** The first of them, to be read by a person. */
  readonly texts: readonly string[];
}

export interface CompareOptions {
  /** @default false; a directory's mtime tells when a name in it last changed. */
  readonly ignoreDirectoryMtimes?: boolean;
}

const TEXTS_MAX = 20;
const FIELDS = ['type', 'mode', 'uid', 'gid', 'mtimeNs', 'size', 'sha256', 'target'] as const;
const OCTAL = 8;

/** Every path that is not the same in both, `a` named first. */
export function compareTrees(a: Tree, b: Tree, options: CompareOptions = {}): TreeDifference {
  const texts: string[] = [];
  let count = 0;
  for (const path of [...new Set([...a.keys(), ...b.keys()])].sort()) {
    const text = differenceAt(a.get(path), b.get(path), options);
    if (text === undefined) continue;
    count += 1;
    if (texts.length < TEXTS_MAX) texts.push(`${JSON.stringify(path)}: ${text}`);
  }
  return { count, texts };
}

function differenceAt(
  a: TreeEntry | undefined,
  b: TreeEntry | undefined,
  options: CompareOptions,
): string | undefined {
  if (a === undefined) return 'only in the second';
  if (b === undefined) return 'only in the first';
  const isMtimeIgnored =
    options.ignoreDirectoryMtimes === true && a.type === 'directory' && b.type === 'directory';
  const differing = FIELDS.filter(
    (field) => a[field] !== b[field] && !(field === 'mtimeNs' && isMtimeIgnored),
  );
  if (differing.length === 0) return undefined;
  return differing.map((field) => `${field} ${shown(a, field)} / ${shown(b, field)}`).join(', ');
}

function shown(entry: TreeEntry, field: (typeof FIELDS)[number]): string {
  if (field === 'mode') return entry.mode.toString(OCTAL);
  return field === 'target' ? JSON.stringify(entry.target) : String(entry[field]);
}
