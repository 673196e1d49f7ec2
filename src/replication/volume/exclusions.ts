/**
 * What of a volume is not replicated: patterns as in a .gitignore file.
 */

import ignore, { type Ignore } from 'ignore';

/** Everything of mailraft's own in a volume is under this name; never replicated. */
export const WORKSPACE = '.mailraft';

export class Exclusions {
  readonly #matcher: Ignore | undefined;

  constructor(patterns: readonly string[]) {
    this.#matcher = patterns.length === 0 ? undefined : ignore().add([...patterns]);
  }

  /** @param names from the volume's root down to the file */
  excludes(names: readonly Buffer[], isDirectory: boolean): boolean {
    if (names.length === 1 && names[0]?.toString('latin1') === WORKSPACE) return true;
    if (this.#matcher === undefined) return false;
    // Names that are no UTF-8 are matched byte by byte.
    const path = names.map((name) => name.toString('latin1')).join('/');
    return this.#matcher.ignores(isDirectory ? `${path}/` : path);
  }
}
