/** Whether nodes have the same files and nothing on its way, by their own word. Pure. */

import type { StatusReport } from '../../net/http/node-port.ts';

/** The same tree hashes at the same index, nothing uncommitted, nothing missing. */
export function areInSync(statuses: readonly StatusReport[]): boolean {
  const [first, ...others] = statuses;
  if (first === undefined) return false;
  const isQuiet = statuses.every(({ volumes }) =>
    volumes.every(({ dirty, missing }) => dirty === 0 && missing === 0),
  );
  return isQuiet && others.every((other) => treesOf(other) === treesOf(first));
}

/** One line on where a node stands, for whoever waits in vain. */
export function standingOf({ node, role, tenure, raft, volumes, warnings }: StatusReport): string {
  const files = volumes.map(
    ({ name, treeHash, treeHashIndex, dirty, missing }) =>
      `${name} ${treeHash.slice(0, 8)} at ${treeHashIndex}, ${dirty} dirty, ${missing} missing`,
  );
  const phase = `${tenure.phase}${tenure.waitsFor === null ? '' : `, waits for ${tenure.waitsFor}`}`;
  const applied = `applied ${raft.appliedIndex} of ${raft.commitIndex}`;
  return [`${node} ${role} (${phase})`, applied, ...files, ...warnings].join('; ');
}

function treesOf({ volumes }: StatusReport): string {
  return volumes
    .map(({ name, treeHash, treeHashIndex }) => `${name} ${treeHash} ${treeHashIndex}`)
    .join();
}
