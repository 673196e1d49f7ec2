/**
 * Mutations: patches that each break one rule of the product, to see whether the
 * simulator notices.
 *
 * A patch file opens with what a reader must know, then holds a unified diff
 * against the project:
 *
 * ```
 * What it breaks, in a sentence or two.
 * Rule: the paper's section or the safety rule.
 * Caught by: invariants of the simulator that are to notice, with commas between.
 *
 * --- a/src/…
 * +++ b/src/…
 * ```
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SUFFIX = '.patch';
const HEAD =
  /^(?<breaks>[\s\S]+?)\nRule: (?<rule>.+)\nCaught by: (?<invariants>.+)\n\n(?=--- a\/src\/)/;

export interface Mutation {
  readonly name: string;
  readonly breaks: string;
  readonly rule: string;
  /** Names of the invariants of the simulator of which one is to notice. */
  readonly invariants: readonly string[];
  /** The file; `patch` skips what stands before the diff. */
  readonly path: string;
}

/** Reads every patch of `folder`, by name. Throws when one does not say what it must. */
export function mutationsOf(folder: string): readonly Mutation[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(SUFFIX));
  return files
    .sort()
    .map((file) => readMutation(join(folder, file), file.slice(0, -SUFFIX.length)));
}

/** The mutations of these names, in this order; all of them without a name. */
export function chosen(all: readonly Mutation[], names: readonly string[]): readonly Mutation[] {
  if (names.length === 0) return all;
  return names.map((name) => {
    const mutation = all.find((one) => one.name === name);
    if (mutation !== undefined) return mutation;
    throw new Error(
      `there is no mutation "${name}"; there are ${all.map((one) => one.name).join(', ')}`,
    );
  });
}

function readMutation(path: string, name: string): Mutation {
  const parts = HEAD.exec(readFileSync(path, 'utf8'))?.groups;
  if (parts === undefined) {
    throw new Error(
      `${path} must open with a sentence, "Rule: …", "Caught by: …" and an empty line, ` +
        'and go on with a diff of src/',
    );
  }
  const { breaks = '', rule = '', invariants = '' } = parts;
  return {
    name,
    breaks: breaks.replaceAll('\n', ' '),
    rule,
    invariants: invariants.split(',').map((invariant) => invariant.trim()),
    path,
  };
}
