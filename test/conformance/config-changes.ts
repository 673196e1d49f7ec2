/** Changes of the configuration as transcripts write them: `v1 l2 r3 u4`. */

import type { MemberChange } from '../../src/consensus/core/membership/change.ts';
import { nodeId } from './node-ids.ts';
import { RefusedError } from './transcript-storage.ts';

const KINDS: Readonly<Record<string, MemberChange['kind']>> = {
  v: 'addVoter',
  l: 'addLearner',
  r: 'remove',
  u: 'update',
};

/** Throws `RefusedError` with what is printed about a word that is no change. */
export function parseChanges(text: string): readonly MemberChange[] {
  const words = text.trim().split(' ');
  return words[0] === '' ? [] : words.map(parseChange);
}

function parseChange(word: string): MemberChange {
  if (word.length < 2) throw new RefusedError(`unknown token ${word}`);
  const kind = KINDS[word[0] as string];
  if (kind === undefined) throw new RefusedError(`unknown input: ${word}`);
  const digits = word.slice(1);
  if (!/^\d+$/.test(digits)) {
    throw new RefusedError(`strconv.ParseUint: parsing "${digits}": invalid syntax`);
  }
  return { kind, id: nodeId(digits) };
}
