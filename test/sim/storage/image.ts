/** What a disk holds of a member's log, as a value. */

import type {
  Entry,
  EntryId,
  HardState,
  LogIndex,
  PlacedMembership,
  Term,
} from '../../../src/consensus/core/types.ts';
import type { StorageBatch } from '../../../src/consensus/host/storage.ts';

/** Replaced as a whole by each write. */
export interface DiskImage {
  readonly hardState: HardState;
  readonly promiseMs: number;
  readonly base: EntryId;
  /** Shared with the images before and after, each of which counts `count` entries of it. */
  readonly log: Entry[];
  readonly count: number;
  readonly placed: PlacedMembership;
  /** Damage was found, and the member was not whole since. */
  readonly isMuted: boolean;
}

export function emptyImage(placed: PlacedMembership): DiskImage {
  return {
    hardState: { term: 0, vote: '', commit: 0 },
    promiseMs: 0,
    base: { index: 0, term: 0 },
    log: [],
    count: 0,
    placed,
    isMuted: false,
  };
}

export function lastIndexOf({ base, count }: DiskImage): LogIndex {
  return base.index + count;
}

export function lastIdOf(image: DiskImage): EntryId {
  const index = lastIndexOf(image);
  return { index, term: termAt(image, index) ?? 0 };
}

/** The term of an entry, undefined when it is not there. */
export function termAt({ base, log, count }: DiskImage, index: LogIndex): Term | undefined {
  const at = index - base.index - 1;
  if (at === -1) return base.term;
  return at < count ? log[at]?.term : undefined;
}

/** Whether an entry is there, or in the state that the log begins with. */
export function hasEntry(image: DiskImage, { index, term }: EntryId): boolean {
  return index < image.base.index || termAt(image, index) === term;
}

/** The image after a batch was written. */
export function written(image: DiskImage, batch: StorageBatch): DiskImage {
  const { snapshot, entries, hardState, promiseMs, membership } = batch;
  const base = snapshot === undefined ? image.base : { index: snapshot.index, term: snapshot.term };
  const isReset = snapshot !== undefined;
  const { log, count } = appended(
    isReset ? [] : image.log,
    isReset ? 0 : image.count,
    entries,
    base,
  );
  let { placed } = image;
  if (snapshot !== undefined) {
    placed = { index: snapshot.membershipIndex ?? snapshot.index, membership: snapshot.membership };
  }
  if (membership !== undefined && membership.index >= placed.index) placed = membership;
  return {
    hardState: hardState ?? image.hardState,
    promiseMs: Math.max(image.promiseMs, promiseMs ?? 0),
    base,
    log,
    count,
    placed,
    isMuted: image.isMuted,
  };
}

function appended(
  log: Entry[],
  count: number,
  entries: readonly Entry[],
  base: EntryId,
): Pick<DiskImage, 'log' | 'count'> {
  const first = entries[0];
  if (first === undefined) return { log, count };
  const keep = first.index - base.index - 1;
  // Behind the end nobody looks: the array can be shared. Elsewhere others may look.
  const target = keep === log.length && keep > 0 ? log : log.slice(0, keep);
  for (const entry of entries) target.push(entry);
  return { log: target, count: target.length };
}

/** The image whose log begins after `index`. */
export function compacted(image: DiskImage, index: LogIndex): DiskImage {
  const term = termAt(image, index);
  if (index <= image.base.index || term === undefined) return image;
  const log = image.log.slice(index - image.base.index, image.count);
  return { ...image, base: { index, term }, log, count: log.length };
}
