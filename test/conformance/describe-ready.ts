/** The print form of what a core wants done. */

import {
  describeEntries,
  describeHardState,
  describeMessage,
  describeSnapshot,
  describeSoftState,
} from './describe.ts';
import type { PrintedReady } from './transcript-node.ts';

export function describeReady({ ready, messages, mustSync }: PrintedReady): readonly string[] {
  const { soft, append, apply, reads = [] } = ready ?? {};
  const lines: string[] = [];
  if (soft !== undefined) lines.push(describeSoftState(soft));
  if (append?.hardState !== undefined) {
    lines.push(`HardState ${describeHardState(append.hardState)}`);
  }
  if (reads.length > 0) {
    const states = reads.map(({ index, token }) => `{${index} [${bytesOf(token)}]}`);
    lines.push(`ReadStates [${states.join(' ')}]`);
  }
  if (append !== undefined && append.entries.length > 0) {
    lines.push('Entries:', ...describeEntries(append.entries));
  }
  if (append?.snapshot !== undefined) lines.push(`Snapshot ${describeSnapshot(append.snapshot)}`);
  if (apply !== undefined) lines.push('CommittedEntries:', ...describeEntries(apply.entries));
  if (messages.length > 0) {
    lines.push('Messages:', ...messages.flatMap((message) => describeMessage(message)));
  }
  return lines.length === 0 ? ['<empty Ready>'] : [`Ready MustSync=${mustSync}:`, ...lines];
}

function bytesOf(token: string): string {
  return [...Buffer.from(token)].join(' ');
}
