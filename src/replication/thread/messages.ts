/**
 * What replication's thread and the daemon say to each other.
 *
 * Both sides ask and both answer; messages arrive in the order in which they were sent.
 * Bytes travel in memory of their own that is given away, values of unknown shape as
 * MessagePack, so that a Buffer arrives as a Buffer.
 */

import {
  type ErrorCode,
  isMailraftError,
  MailraftError,
  messageOf,
  systemCode,
} from '../../errors.ts';
import { decode, encode } from '../../platform/msgpack.ts';
import type { Decree, HistoryRecord } from '../command/decree.ts';
import type { Position, TenureMark } from '../committed-state.ts';
import type { ReplicationEvent } from '../parts.ts';
import type { ReplicatorStatus } from '../status.ts';

/** A committed entry on its way; its bytes are its own. */
export interface ItemParcel {
  readonly index: number;
  readonly term: number;
  readonly data: Uint8Array | undefined;
  readonly own: number | undefined;
}

/** A status, with history only when that has changed since the last one. */
export interface StatusParcel {
  readonly status: ReplicatorStatus;
  readonly history: readonly HistoryRecord[] | undefined;
}

/** What the daemon asks of the thread. */
export type Call =
  | { readonly name: 'makeBaseline' | 'arm' | 'disarm' | 'barrier' }
  | { readonly name: 'sync' | 'salvage' | 'close' }
  | {
      readonly name: 'answer';
      readonly method: string;
      readonly params: Uint8Array;
      readonly from: string;
    };

/** What the thread asks of the daemon, see `ReplicationPort`. */
export type Question =
  | { readonly name: 'readJournal'; readonly from: number; readonly to: number }
  | { readonly name: 'readTails' }
  | { readonly name: 'removeTail'; readonly tail: string }
  | { readonly name: 'askLeader'; readonly method: string; readonly params: Uint8Array };

/** How a question or call ended; the value is packed. */
export type Outcome =
  | { readonly isOk: true; readonly value: Uint8Array }
  | { readonly isOk: false; readonly fault: Fault };

export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
  readonly stack: string | undefined;
}

export type ToThread =
  | { readonly kind: 'apply'; readonly items: readonly ItemParcel[] }
  | { readonly kind: 'settle'; readonly index: number; readonly reason: string }
  | { readonly kind: 'needState' }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Call }
  | { readonly kind: 'answer'; readonly id: number; readonly outcome: Outcome };

export type FromThread =
  | { readonly kind: 'opened'; readonly parcel: StatusParcel }
  | { readonly kind: 'status'; readonly parcel: StatusParcel }
  | { readonly kind: 'propose'; readonly sequence: number; readonly data: Uint8Array }
  | { readonly kind: 'applied'; readonly index: number }
  | { readonly kind: 'decree'; readonly index: number; readonly decree: Decree }
  | { readonly kind: 'event'; readonly event: ReplicationEvent }
  | {
      readonly kind: 'stateFetched';
      readonly position: Position;
      readonly tenure: TenureMark | undefined;
    }
  | { readonly kind: 'failed'; readonly fault: Fault }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  | { readonly kind: 'answer'; readonly id: number; readonly outcome: Outcome };

/** A value as bytes that may be given away. */
export function packed(value: unknown): Uint8Array {
  return ownBytes(encode(value));
}

/** The value of `packed`, its bytes as Buffers. */
export function unpacked(bytes: Uint8Array): unknown {
  // What is cut out of a Buffer is one.
  return decode(bufferOf(bytes));
}

/** The same memory as a Buffer: no Buffer arrives as one. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** What of a message is given away: bytes that nobody uses here any more. */
export function givenWith(message: ToThread | FromThread): ArrayBuffer[] {
  switch (message.kind) {
    case 'apply':
      return message.items.flatMap(({ data }) => (data === undefined ? [] : memoryOf(data)));
    case 'propose':
      return memoryOf(message.data);
    case 'answer':
      return message.outcome.isOk ? memoryOf(message.outcome.value) : [];
    default:
      return [];
  }
}

function memoryOf(bytes: Uint8Array): ArrayBuffer[] {
  return [bytes.buffer as ArrayBuffer];
}

/** Does what was asked, and says how it ended. */
export async function outcomeOf(work: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { isOk: true, value: packed(await work()) };
  } catch (error) {
    return { isOk: false, fault: faultOf(error) };
  }
}

/** A copy that shares its memory with nothing, and so may be given away. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** An error as a message: codes of the system tell of the disk, errors without one of a bug. */
export function faultOf(error: unknown): Fault {
  const stack = error instanceof Error ? error.stack : undefined;
  const isOfDisk = /^(E[A-Z0-9]+|LEVEL_\w+)$/.test(systemCode(error) ?? '');
  const code = isMailraftError(error) ? error.code : isOfDisk ? 'STORAGE_FAILED' : 'INVARIANT';
  return { code, message: messageOf(error), stack };
}

export function errorOf({ code, message, stack }: Fault): MailraftError {
  const error = new MailraftError(code, message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
