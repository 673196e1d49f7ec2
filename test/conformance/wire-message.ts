/**
 * Messages with the fields that transcripts print, and what a node does when it is given
 * one: the core's own messages are stepped, those of the storage threads are its answers.
 */

import type { Message } from '../../src/consensus/core/messages.ts';
import type { AppendWork, ApplyWork } from '../../src/consensus/core/ready.ts';
import {
  type Entry,
  type EntryKind,
  type LogIndex,
  NO_NODE,
  type NodeId,
  type SnapshotMark,
  type Term,
} from '../../src/consensus/core/types.ts';

/** No node is named so: names of nodes are digits. */
export const APPEND_THREAD: NodeId = 'append thread';
export const APPLY_THREAD: NodeId = 'apply thread';

/** Every type that a transcript may name. */
export const MESSAGE_TYPES = [
  ...(['MsgHup', 'MsgBeat', 'MsgProp', 'MsgApp', 'MsgAppResp', 'MsgVote', 'MsgVoteResp'] as const),
  ...(['MsgSnap', 'MsgHeartbeat', 'MsgHeartbeatResp', 'MsgUnreachable', 'MsgSnapStatus'] as const),
  ...(['MsgCheckQuorum', 'MsgTransferLeader', 'MsgTimeoutNow', 'MsgReadIndex'] as const),
  ...(['MsgReadIndexResp', 'MsgPreVote', 'MsgPreVoteResp', 'MsgStorageAppend'] as const),
  ...(['MsgStorageAppendResp', 'MsgStorageApply', 'MsgStorageApplyResp'] as const),
  'MsgForgetLeader',
] as const;

export type WireType = (typeof MESSAGE_TYPES)[number];

/** What is done with a message by the node that gets it. */
export type Delivery =
  | { readonly kind: 'step'; readonly message: Message }
  | { readonly kind: 'stored'; readonly work: AppendWork }
  | { readonly kind: 'applied'; readonly work: ApplyWork };

export interface WireMessage {
  readonly type: WireType;
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: Term;
  readonly logTerm: Term;
  readonly index: LogIndex;
  readonly rejected: boolean;
  readonly hint: LogIndex;
  readonly commit: LogIndex;
  readonly vote: NodeId;
  readonly entries: readonly Entry[];
  readonly snapshot: SnapshotMark | undefined;
  readonly responses: readonly WireMessage[];
  /** Undefined for what is carried out by a storage thread. */
  readonly delivery: Delivery | undefined;
}

const NOTHING: Omit<WireMessage, 'type' | 'from' | 'to' | 'term'> = {
  logTerm: 0,
  index: 0,
  rejected: false,
  hint: 0,
  commit: 0,
  vote: NO_NODE,
  entries: [],
  snapshot: undefined,
  responses: [],
  delivery: undefined,
};

const CORE_TYPES: Readonly<Record<Message['type'], WireType>> = {
  append: 'MsgApp',
  appendResponse: 'MsgAppResp',
  heartbeat: 'MsgHeartbeat',
  heartbeatResponse: 'MsgHeartbeatResp',
  vote: 'MsgVote',
  voteResponse: 'MsgVoteResp',
  preVote: 'MsgPreVote',
  preVoteResponse: 'MsgPreVoteResp',
  timeoutNow: 'MsgTimeoutNow',
  snapshot: 'MsgSnap',
  propose: 'MsgProp',
  transferLeader: 'MsgTransferLeader',
  readIndex: 'MsgReadIndex',
  readIndexResponse: 'MsgReadIndexResp',
};

/** A node's messages to itself and to its own threads cannot get lost. */
export function isLocal({ from, to }: WireMessage): boolean {
  return [from, to].some((id) => id === APPEND_THREAD || id === APPLY_THREAD) || from === to;
}

export function wireMessage(message: Message): WireMessage {
  const { from, to, term } = message;
  const delivery: Delivery = { kind: 'step', message };
  return {
    ...NOTHING,
    type: CORE_TYPES[message.type],
    from,
    to,
    term,
    delivery,
    ...contents(message),
  };
}

function contents(message: Message): Partial<WireMessage> {
  switch (message.type) {
    case 'append': {
      const { prevTerm: logTerm, prevIndex: index, commit, entries } = message;
      return { logTerm, index, commit, entries };
    }
    case 'appendResponse': {
      const { hintTerm: logTerm, index, rejected, hintIndex: hint } = message;
      return { logTerm, index, rejected, hint };
    }
    case 'heartbeat':
      return { commit: message.commit };
    case 'vote':
    case 'preVote':
      return { logTerm: message.lastTerm, index: message.lastIndex };
    case 'voteResponse':
    case 'preVoteResponse':
      return { rejected: message.rejected };
    case 'snapshot':
      return { snapshot: message.snapshot };
    case 'propose':
      return { entries: message.proposals.map(({ kind, data }) => unplaced(kind, data)) };
    case 'readIndex':
      return { entries: [unplaced('command', Buffer.from(message.token))] };
    case 'readIndexResponse':
      return { index: message.index, entries: [unplaced('command', Buffer.from(message.token))] };
    case 'heartbeatResponse':
    case 'timeoutNow':
    case 'transferLeader':
      return {};
  }
}

/** Content that has no place in a log. */
function unplaced(kind: EntryKind, data: Uint8Array): Entry {
  return { term: 0, index: 0, kind, data };
}

/** What a node asks of its append thread. */
export function storageAppend(from: NodeId, work: AppendWork): WireMessage {
  const { hardState, entries, snapshot } = work;
  return {
    ...NOTHING,
    type: 'MsgStorageAppend',
    from,
    to: APPEND_THREAD,
    term: hardState?.term ?? 0,
    commit: hardState?.commit ?? 0,
    vote: hardState?.vote ?? NO_NODE,
    entries,
    snapshot,
    responses: [...work.responses.map(wireMessage), ...storedAnswer(from, work)],
  };
}

/** The append thread's own answer, where the core waits for one. */
function storedAnswer(to: NodeId, work: AppendWork): readonly WireMessage[] {
  const { last, snapshot, term } = work;
  if (last === undefined && snapshot === undefined) return [];
  const { term: logTerm = 0, index = 0 } = last ?? {};
  const delivery: Delivery = { kind: 'stored', work };
  const type = 'MsgStorageAppendResp';
  return [{ ...NOTHING, type, from: APPEND_THREAD, to, term, logTerm, index, snapshot, delivery }];
}

/** What a node asks of its apply thread. */
export function storageApply(from: NodeId, work: ApplyWork): WireMessage {
  const { entries } = work;
  const answer: WireMessage = {
    ...NOTHING,
    type: 'MsgStorageApplyResp',
    from: APPLY_THREAD,
    to: from,
    term: 0,
    entries,
    delivery: { kind: 'applied', work },
  };
  return {
    ...NOTHING,
    type: 'MsgStorageApply',
    from,
    to: APPLY_THREAD,
    term: 0,
    entries,
    responses: [answer],
  };
}
