/**
 * Raft messages as payloads of frames.
 *
 * ```
 * head bytes u32 | head (MessagePack array) | records of the entries
 * ```
 *
 * Entries travel as the very records that lie in the journal, checksums included:
 * a follower checks and stores what the leader made.
 */

import { nodeOf, readMembership } from '../../consensus/core/membership/membership.ts';
import type { Message, PeerMessageType } from '../../consensus/core/messages.ts';
import type { Entry } from '../../consensus/core/types.ts';
import { decodeEntryAt, encodeEntry } from '../../consensus/host/entry-record.ts';
import type { PeerMessage } from '../../consensus/host/ports.ts';
import { assert, MailraftError } from '../../errors.ts';
import { decode, encode } from '../../platform/msgpack.ts';

const HEAD_LENGTH_BYTES = 4;
const INCARNATION_CHARS_MAX = 256;

/** Fields of each message beyond its type, from, to and term, in the order of the wire. */
const FIELDS: { readonly [Type in PeerMessageType]: readonly string[] } = {
  append: ['prevIndex', 'prevTerm', 'commit'],
  appendResponse: ['index', 'rejected', 'hintIndex', 'hintTerm', 'hasLost'],
  heartbeat: ['commit', 'round'],
  heartbeatResponse: ['round'],
  vote: ['lastIndex', 'lastTerm', 'transfer', 'handover'],
  preVote: ['lastIndex', 'lastTerm', 'transfer', 'handover'],
  voteResponse: ['rejected', 'commitIndex', 'commitTerm'],
  preVoteResponse: ['rejected', 'commitIndex', 'commitTerm'],
  timeoutNow: ['handover'],
  snapshot: ['snapshot'],
};
const BOOLEANS = new Set(['rejected', 'transfer', 'hasLost']);

/** @returns the payload in parts */
export function encodeMessage(peer: PeerMessage): Uint8Array[] {
  const { message, promiseMs, fromIncarnation, toIncarnation } = peer;
  const { type, from, to, term } = message;
  assert(isMessageType(type), `a message of type ${type} leaves`);
  const fields = FIELDS[type].map(
    (field) => (message as unknown as Record<string, unknown>)[field] ?? 0,
  );
  const head = encode([type, from, to, term, promiseMs, fromIncarnation, toIncarnation, ...fields]);
  const length = Buffer.allocUnsafe(HEAD_LENGTH_BYTES);
  length.writeUInt32BE(head.length);
  const records = message.type === 'append' ? message.entries.map(encodeEntry) : [];
  return [length, head, ...records];
}

/**
 * @throws {MailraftError} `DATA_INVALID` or `DATA_DAMAGED` when the payload is no
 *   message of a peer
 */
export function decodeMessage(payload: Buffer): PeerMessage {
  if (payload.length < HEAD_LENGTH_BYTES) throw invalid('a message is cut short');
  const headEnd = HEAD_LENGTH_BYTES + payload.readUInt32BE(0);
  if (headEnd > payload.length) throw invalid('the head of a message is cut short');
  const head = decode(payload.subarray(HEAD_LENGTH_BYTES, headEnd));
  if (!Array.isArray(head)) throw invalid('the head of a message is no list');
  const [type, from, to, term, promiseMs, fromIncarnation, toIncarnation, ...values] =
    head as unknown[];
  if (!isMessageType(type)) throw invalid(`a message of type ${JSON.stringify(type)}`);
  const message: Record<string, unknown> = {
    type,
    from: nodeOf(from),
    to: nodeOf(to),
    term: naturalOf(term, 'term'),
  };
  for (const [at, field] of FIELDS[type].entries()) message[field] = fieldOf(field, values[at]);
  if (type === 'append') message['entries'] = entriesOf(payload.subarray(headEnd));
  const peer = {
    message: message as unknown as Message,
    promiseMs: promiseOf(promiseMs),
    fromIncarnation: incarnationOf(fromIncarnation),
    toIncarnation: incarnationOf(toIncarnation),
  };
  checkSequence(peer.message);
  return peer;
}

function isMessageType(type: unknown): type is PeerMessageType {
  return typeof type === 'string' && Object.hasOwn(FIELDS, type);
}

function fieldOf(field: string, value: unknown): unknown {
  if (field === 'snapshot') return snapshotOf(value);
  if (!BOOLEANS.has(field)) return naturalOf(value, field);
  if (typeof value !== 'boolean') throw invalid(`${field} is ${JSON.stringify(value)}`);
  return value;
}

function snapshotOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) throw invalid('a snapshot without a mark');
  const { index, term, membership, membershipIndex } = value as Record<string, unknown>;
  return {
    index: naturalOf(index, 'index'),
    term: naturalOf(term, 'term'),
    membership: readMembership(membership),
    membershipIndex: naturalOf(membershipIndex ?? index, 'membershipIndex'),
  };
}

/** The records of an append, each checked. */
function entriesOf(bytes: Buffer): Entry[] {
  const entries: Entry[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const { entry, end } = decodeEntryAt(bytes, offset);
    entries.push(entry);
    offset = end;
  }
  return entries;
}

/** Entries follow each other without a gap and with terms that do not fall (Raft figure 3). */
function checkSequence(message: Message): void {
  if (message.type !== 'append') return;
  let { prevIndex: index, prevTerm: term } = message;
  for (const entry of message.entries) {
    if (entry.index !== index + 1 || entry.term < term || entry.term > message.term) {
      throw invalid(`entry ${entry.term}/${entry.index} follows ${term}/${index}`);
    }
    ({ index, term } = entry);
  }
}

function naturalOf(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw invalid(`${what} is ${JSON.stringify(value)}`);
}

function promiseOf(value: unknown): number {
  if (typeof value === 'number' && value >= 0 && Number.isFinite(value)) return value;
  throw invalid(`a promise of ${JSON.stringify(value)} ms`);
}

function incarnationOf(value: unknown): string {
  if (typeof value === 'string' && value.length <= INCARNATION_CHARS_MAX) return value;
  throw invalid(`an incarnation is ${JSON.stringify(value)?.slice(0, INCARNATION_CHARS_MAX)}`);
}

function invalid(what: string): MailraftError {
  return new MailraftError('DATA_INVALID', what);
}
