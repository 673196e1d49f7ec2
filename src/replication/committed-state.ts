/**
 * What the log has decided besides the files, and how far this node has come; kept in
 * one value that is written with the index, in the same transaction.
 */

import { decode, encode } from '../platform/msgpack.ts';
import type { Decree, HistoryRecord } from './command/decree.ts';

export interface Position {
  readonly index: number;
  readonly term: number;
}

/** The last record of a tenure, and where it stands in the log. */
export interface TenureMark {
  readonly index: number;
  readonly record: Extract<Decree, { kind: 'tenure' | 'handover' }>;
}

export interface CommittedState {
  /** The index speaks of the log up to here. */
  readonly position: Position;
  /** Files up to here survive a loss of power. */
  readonly synced: number;
  /** The node has taken part since the cluster's data were first indexed. */
  readonly isBaselined: boolean;
  /** An index of the origin's data is complete, waiting for its decree; its tree hashes. */
  readonly draft: readonly string[] | undefined;
  /** This node has been primary since its files were last settled: they may be its own. */
  readonly hasLed: boolean;
  /** The index is being replaced by another member's. */
  readonly isResyncing: boolean;
  readonly tenure: TenureMark | undefined;
  /** From the settings decree; undefined before the first. */
  readonly leaseMs: number | undefined;
  readonly floor: number;
  readonly history: readonly HistoryRecord[];
}

/** Records of history that are kept. */
const HISTORY_MAX = 200;

export const STATE_KEY: Buffer = Buffer.from('xstate');

export const EMPTY_STATE: CommittedState = {
  position: { index: 0, term: 0 },
  synced: 0,
  isBaselined: false,
  draft: undefined,
  hasLed: false,
  isResyncing: false,
  tenure: undefined,
  leaseMs: undefined,
  floor: 0,
  history: [],
};

export function encodeState(state: CommittedState): Buffer {
  return encode(state);
}

export function decodeState(bytes: Buffer | undefined): CommittedState {
  if (bytes === undefined) return EMPTY_STATE;
  const state = decode(bytes) as CommittedState;
  // MessagePack has no undefined.
  return {
    ...state,
    draft: state.draft ?? undefined,
    tenure: state.tenure ?? undefined,
    leaseMs: state.leaseMs ?? undefined,
  };
}

/** The state after a decree; baselines concern the files and are dealt with elsewhere. */
export function afterDecree(state: CommittedState, decree: Decree, index: number): CommittedState {
  switch (decree.kind) {
    case 'tenure':
    case 'handover':
      return { ...state, tenure: { index, record: decree } };
    case 'settings':
      return { ...state, leaseMs: decree.leaseMs };
    case 'floor':
      return { ...state, floor: Math.max(state.floor, decree.index) };
    case 'history':
      return { ...state, history: [...state.history, decree.record].slice(-HISTORY_MAX) };
    case 'baseline':
    case 'barrier':
      return state;
  }
}
