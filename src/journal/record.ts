/**
 * The records that only the journal has: hard state, promise, configuration, head of a segment.
 */

import { readMembership } from '../consensus/core/membership/membership.ts';
import type { HardState, PlacedMembership } from '../consensus/core/types.ts';
import { damaged, encodeRecord } from '../consensus/host/entry-record.ts';
import { MailraftError } from '../errors.ts';

export function encodeHardState({ term, commit, vote }: HardState): Buffer {
  const payload = Buffer.allocUnsafe(12 + Buffer.byteLength(vote));
  payload.writeUIntBE(term, 0, 6);
  payload.writeUIntBE(commit, 6, 6);
  payload.write(vote, 12);
  return encodeRecord('hardState', payload);
}

export function hardStateOf(payload: Buffer): HardState {
  if (payload.length < 12) throw damaged('a hard state is cut short');
  const [term, commit] = [payload.readUIntBE(0, 6), payload.readUIntBE(6, 6)];
  return { term, commit, vote: payload.toString('utf8', 12) };
}

/** @param promiseMs the longest promise that this voter gives */
export function encodePromise(promiseMs: number): Buffer {
  const payload = Buffer.allocUnsafe(6);
  payload.writeUIntBE(Math.ceil(promiseMs), 0, 6);
  return encodeRecord('promise', payload);
}

export function promiseOf(payload: Buffer): number {
  if (payload.length < 6) throw damaged('a promise is cut short');
  return payload.readUIntBE(0, 6);
}

export function encodeMembership(placed: PlacedMembership): Buffer {
  return encodeRecord('membership', Buffer.from(JSON.stringify(placed)));
}

export function membershipIn(payload: Buffer): PlacedMembership {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString('utf8'));
  } catch (cause) {
    throw new MailraftError('DATA_INVALID', 'a configuration in the journal is no JSON', { cause });
  }
  const isObject = typeof value === 'object' && value !== null;
  const { index, membership } = (isObject ? value : {}) as Record<string, unknown>;
  if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0) {
    throw new MailraftError('DATA_INVALID', 'a configuration in the journal stems from no entry');
  }
  return { index, membership: readMembership(membership) };
}

export function encodeSegmentHead(head: unknown): Buffer {
  return encodeRecord('segment', Buffer.from(JSON.stringify(head)));
}
