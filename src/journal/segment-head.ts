/**
 * The first record of every segment: all that a reader must know when the
 * segments before it are gone.
 */

import type { EntryId, HardState, PlacedMembership } from '../consensus/core/types.ts';
import { MailraftError } from '../errors.ts';

/** Version of the journal's format; another one is refused. */
export const JOURNAL_VERSION = 2;

export interface SegmentHead {
  readonly version: typeof JOURNAL_VERSION;
  /** Segments are numbered from 1 in the order in which they were begun. */
  readonly ordinal: number;
  /** The log consists of what it was up to here, and of what follows. */
  readonly base: EntryId;
  /** Nothing before this segment counts: the log was replaced by a state at `base`. */
  readonly isReset: boolean;
  readonly hardState: HardState;
  readonly promiseMs: number;
  readonly placed: PlacedMembership;
}

/** Throws `DATA_INVALID` when the record is of another version or shape. */
export function segmentHeadOf(payload: Buffer): SegmentHead {
  let head: unknown;
  try {
    head = JSON.parse(payload.toString('utf8'));
  } catch (cause) {
    throw new MailraftError('DATA_INVALID', 'the head of a segment is no JSON', { cause });
  }
  const version = typeof head === 'object' && head !== null && 'version' in head && head.version;
  if (version !== JOURNAL_VERSION) {
    const found = JSON.stringify(version);
    throw new MailraftError(
      'DATA_INVALID',
      `the journal is of version ${found}, this mailraft reads version ${JOURNAL_VERSION}`,
    );
  }
  return head as SegmentHead;
}

const SUFFIX = '.segment';
const DIGITS = 10;

export function segmentName(ordinal: number): string {
  return `${String(ordinal).padStart(DIGITS, '0')}${SUFFIX}`;
}

/** The ordinal in a segment's file name, undefined for any other file. */
export function ordinalOf(name: string): number | undefined {
  if (!name.endsWith(SUFFIX) || name.length !== DIGITS + SUFFIX.length) return undefined;
  const ordinal = Number(name.slice(0, DIGITS));
  return Number.isSafeInteger(ordinal) ? ordinal : undefined;
}
