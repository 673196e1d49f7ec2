/**
 * The part of `@coaty/consensus.raft` that is the Raft core, loaded without the layers
 * around it: those want a message broker and a data base, of which the core uses nothing
 * but the value that stands for "no data".
 */

import Module, { createRequire } from 'node:module';

export interface CoatyMessage {
  readonly to: string;
}

export interface CoatyReady {
  readonly entries: readonly unknown[];
  readonly committedEntries: readonly unknown[];
  readonly messages: readonly CoatyMessage[];
  readonly hardState: { isEmptyHardState(): boolean };
}

export interface CoatyStorage {
  Append(entries: readonly unknown[]): unknown;
  SetHardState(state: unknown): unknown;
  readonly snapshot: { metadata: { confState: { voters: readonly string[] } } };
}

export interface CoatyNode {
  readonly raft: { readonly state: number; Step(message: unknown): unknown };
  hasReady(): boolean;
  ready(): CoatyReady;
  advance(ready: CoatyReady): void;
  step(message: CoatyMessage): unknown;
  campaign(): unknown;
}

export interface CoatyLibrary {
  readonly RawNode: { NewRawNode(config: unknown): CoatyNode };
  readonly MemoryStorage: { NewMemoryStorage(): CoatyStorage };
  readonly RaftConfig: new (parts: object) => unknown;
  readonly StateType: { readonly StateLeader: number };
  readonly Message: new (parts: object) => unknown;
  readonly Entry: new (parts: object) => unknown;
  readonly MessageType: { readonly MsgProp: number };
  readonly discardLogger: unknown;
}

const OUTER_LAYERS = /^(@coaty\/core|rxjs)(\/|$)/;

interface Loader {
  _load(request: string, ...rest: readonly unknown[]): unknown;
}

let loaded: CoatyLibrary | undefined;

export function coatyLibrary(): CoatyLibrary {
  loaded ??= load();
  return loaded;
}

function load(): CoatyLibrary {
  const require = createRequire(import.meta.url);
  const loader = Module as unknown as Loader;
  const load = loader._load;
  const outer = { Controller: class {} };
  loader._load = (request, ...rest) =>
    OUTER_LAYERS.test(request) ? outer : load.call(loader, request, ...rest);
  try {
    return {
      ...require('@coaty/consensus.raft/ported/rawnode.js'),
      ...require('@coaty/consensus.raft/ported/storage.js'),
      ...require('@coaty/consensus.raft/ported/raft.js'),
      ...require('@coaty/consensus.raft/ported/raftpb/raft.pb.js'),
      ...require('@coaty/consensus.raft/ported/logger.js'),
    };
  } finally {
    loader._load = load;
  }
}
