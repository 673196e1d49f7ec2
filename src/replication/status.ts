/**
 * What replication tells of itself: one value, all of whose fields are of the same
 * moment.
 */

import type { CommittedState } from './committed-state.ts';
import type { Foundation } from './foundation.ts';
import type { Lead } from './lead.ts';
import type { VolumeSummary } from './summary.ts';

export type Mode = 'awaitingBaseline' | 'unsettled' | 'following' | 'leading' | 'resyncing';

/** How much of what was applied was looked at on the disk afterwards (safety rule 22). */
export interface Checked {
  /** The last entry whose files were looked at. */
  readonly index: number;
  /** When that was, ms since 1970; 0 for never since the start. */
  readonly atMs: number;
  /**
   * Files that an entry wrote, and that on the disk then were what the index says, since
   * the start. Looks, not content: content is read back when a node settles.
   */
  readonly files: number;
}

/** What the replicator tells of itself. */
export interface ReplicatorStatus {
  readonly mode: Mode;
  readonly state: CommittedState;
  readonly volumes: readonly (VolumeSummary & {
    readonly name: string;
    readonly missing: number;
  })[];
  /** The position of the log that the volumes' hashes are of. */
  readonly treeHashIndex: number;
  readonly checked: Checked;
  readonly missing: number;
  readonly dirty: number;
  readonly underWay: number;
  readonly watched: number;
  readonly isArmed: boolean;
  readonly overflows: number;
  readonly salvageFiles: number;
  readonly fetchedBytes: number;
  /** The journal is still needed from here, besides what is not synced. */
  readonly neededFrom: number | undefined;
  /** What keeps replication from going on, in words. */
  readonly problem: string | undefined;
  /** Which disk has no room, in words: another node may have. */
  readonly lacksRoom: string | undefined;
}

/** What only the replicator itself knows. */
interface Course {
  readonly mode: Mode;
  /** Of each volume. */
  readonly summaries: readonly VolumeSummary[];
  readonly treeHashIndex: number;
  readonly lead: Lead | undefined;
  readonly overflows: number;
}

/** The status of this moment; cheap, for it is asked for after every change. */
export function statusOf(
  { parts, missing, chunks, contents, source, follow, room }: Foundation,
  { mode, summaries, treeHashIndex, lead, overflows }: Course,
): ReplicatorStatus {
  const needed = [chunks.oldest, source.oldestIndex].filter((index) => index !== undefined);
  return {
    mode,
    state: parts.state.current,
    volumes: parts.trees.map(({ number, name }, at) => ({
      name,
      ...(summaries[at] ?? { files: 0, bytes: 0, treeHash: '' }),
      missing: parts.local.missingCount(number),
    })),
    treeHashIndex,
    checked: follow.checked,
    missing: missing.count,
    dirty: lead?.dirtyCount ?? 0,
    underWay: lead?.underWayCount ?? 0,
    watched: lead?.watchedCount ?? 0,
    isArmed: lead?.isArmed ?? false,
    overflows,
    salvageFiles: parts.salvage.count,
    fetchedBytes: contents.bytes,
    neededFrom: needed.length === 0 ? undefined : Math.min(...needed),
    problem: parts.problems.text,
    lacksRoom: parts.problems.lack ?? room.lack,
  };
}
