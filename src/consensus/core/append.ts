/**
 * How a leader appends to its own log (Raft §5.3).
 */

import { bytesOf } from './log/log-view.ts';
import type { RaftState } from './state.ts';
import type { Entry, EntryKind } from './types.ts';

/** An entry before it has its place in the log. */
export interface Proposal {
  readonly kind: EntryKind;
  readonly data: Uint8Array;
}

/** Appends to the leader's log; false when too much is uncommitted already. */
export function appendEntries(state: RaftState, proposals: readonly Proposal[]): boolean {
  const bytes = bytesOf(proposals);
  // The first proposal of a quiet leader is taken whatever its size, else it could never pass.
  const isOver = state.uncommittedBytes + bytes > state.options.uncommittedBytesMax;
  if (state.uncommittedBytes > 0 && bytes > 0 && isOver) return false;
  appendUnbounded(state, proposals);
  return true;
}

/** Appends to the leader's log, however much is uncommitted. */
export function appendUnbounded(state: RaftState, proposals: readonly Proposal[]): void {
  const first = state.log.lastIndex + 1;
  const entries = proposals.map(
    ({ kind, data }, at): Entry => ({ term: state.term, index: first + at, kind, data }),
  );
  state.uncommittedBytes += bytesOf(entries);
  state.log.append(entries);
  // The leader acknowledges to itself, and like any other only when it is durable.
  state.sendAfterAppend({
    type: 'appendResponse',
    from: state.id,
    to: state.id,
    term: state.term,
    index: state.log.lastIndex,
    rejected: false,
    hintIndex: 0,
    hintTerm: 0,
    hasLost: false,
  });
}
