/**
 * The chart that cases of quorums print: a line a voter, whose bar is the longer the more
 * voters it is ahead of.
 */

import type { NodeId } from '../../src/consensus/core/types.ts';
import { decimal } from './node-ids.ts';

/** @param reached what is known; a voter of whom nothing is known has a question mark */
export function barChart(
  voters: readonly NodeId[],
  reached: ReadonlyMap<NodeId, number>,
): readonly string[] {
  if (voters.length === 0) return ['<empty majority quorum>'];
  const width = voters.length;
  const indexOf = (id: NodeId) => reached.get(id) ?? 0;
  const rising = voters.map(indexOf).sort((a, b) => a - b);
  const lines = [...voters].sort().map((id) => {
    const bar = `${'x'.repeat(rising.indexOf(indexOf(id)))}>`;
    const mark = reached.has(id) ? bar : '?';
    const index = String(indexOf(id)).padStart(5);
    return `${mark.padEnd(width + 1)} ${index}    (id=${decimal(id)})`;
  });
  return [`${' '.repeat(width)}    idx`, ...lines];
}
