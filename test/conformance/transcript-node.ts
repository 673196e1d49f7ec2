/**
 * One node of a transcript: a core, its storage, the states that it applied, and what its
 * storage threads have yet to do.
 */

import type { ConfigChange } from '../../src/consensus/core/membership/change.ts';
import type { CoreOptions } from '../../src/consensus/core/options.ts';
import { RaftCore } from '../../src/consensus/core/raft-core.ts';
import type { AppendWork, ApplyWork, Ready } from '../../src/consensus/core/ready.ts';
import {
  type Entry,
  type HardState,
  NO_NODE,
  type NodeId,
  type SnapshotMark,
} from '../../src/consensus/core/types.ts';
import { RefusedError, TranscriptStorage } from './transcript-storage.ts';
import { storageAppend, storageApply, type WireMessage, wireMessage } from './wire-message.ts';

/** How the nodes of one `add-nodes` are made. */
export interface NodePlan {
  readonly options: Omit<CoreOptions, 'id' | 'random' | 'stateToFetch' | 'appliesUnstable'>;
  /** Whether storage threads do the writing, which answer by messages. */
  readonly isAsync: boolean;
  /** What the storage holds at first; index 0 for nothing. */
  readonly state: SnapshotMark;
}

/** A ready as it is printed, and what is to be done about it. */
export interface PrintedReady {
  readonly ready: Ready | undefined;
  readonly messages: readonly WireMessage[];
  readonly mustSync: boolean;
}

/** Changes that etcd's leader replaces by an entry that does nothing. */
const REPLACED = ['changePending', 'joint', 'notJoint', 'invalid'];

export class TranscriptNode {
  readonly id: NodeId;
  readonly core: RaftCore;
  readonly storage = new TranscriptStorage();
  readonly plan: NodePlan;
  readonly appendWork: WireMessage[] = [];
  readonly applyWork: WireMessage[] = [];
  /** The newest state that was applied here; an installed one does not count. */
  #state: SnapshotMark;
  #hardState: HardState;
  /** Taken from the core and not yet carried out. */
  #waiting: Ready | undefined;

  constructor(id: NodeId, plan: NodePlan) {
    this.id = id;
    this.plan = plan;
    this.#state = plan.state;
    const { index, membership } = plan.state;
    if (index > 0) this.storage.install(plan.state);
    this.#hardState = { term: 0, vote: NO_NODE, commit: index };
    this.core = new RaftCore(
      {
        ...plan.options,
        id,
        appliesUnstable: !plan.isAsync,
        stateToFetch: () => this.#state,
        // Whatever a transcript wants to be due it sets; nothing is due by chance before.
        random: (below) => below - 1,
      },
      { hardState: this.#hardState, membership, applied: index, membershipIndex: index },
      this.storage,
    );
  }

  get state(): SnapshotMark {
    return this.#state;
  }

  /** Whether `takeReady` would give something. */
  get hasReady(): boolean {
    this.#waiting ??= this.#nextReady();
    return this.#waiting !== undefined;
  }

  /** What the core wants done, with the messages as they are printed. */
  takeReady(): PrintedReady {
    const ready = this.#waiting ?? this.#nextReady();
    this.#waiting = undefined;
    const messages = ready === undefined ? [] : this.#messagesOf(ready);
    return { ready, messages, mustSync: this.#mustSync(ready) };
  }

  /** A configuration alone is no news: it was taken in here. */
  #nextReady(): Ready | undefined {
    const ready = this.core.ready();
    if (ready === undefined) return undefined;
    const { soft, append, apply, messages, reads } = ready;
    const isQuiet = messages.length + reads.length === 0 && soft === undefined;
    return isQuiet && append === undefined && apply === undefined ? undefined : ready;
  }

  #messagesOf({ messages, append, apply }: Ready): readonly WireMessage[] {
    const sent = messages.map(wireMessage);
    if (this.plan.isAsync) {
      if (append !== undefined) sent.push(storageAppend(this.id, append));
      if (apply !== undefined) sent.push(storageApply(this.id, apply));
      return sent;
    }
    const answers = append?.responses.filter(({ to }) => to !== this.id) ?? [];
    return [...sent, ...answers.map(wireMessage)];
  }

  /** Transcripts ask for no sync of a state alone: it is on disk before it is handed over. */
  #mustSync(ready: Ready | undefined): boolean {
    const append = ready?.append;
    const before = this.#hardState;
    this.#hardState = append?.hardState ?? before;
    if (append?.snapshot === undefined) return append?.mustSync ?? false;
    const { term, vote } = this.#hardState;
    return append.entries.length > 0 || term !== before.term || vote !== before.vote;
  }

  /** Does at once what storage threads would do. */
  carryOut({ append, apply }: Ready): void {
    if (append !== undefined) this.store(append);
    if (apply !== undefined) this.apply(apply.entries);
  }

  /** Tells the core that what was carried out is done. */
  advance({ append, apply }: Ready): void {
    for (const message of append?.responses ?? []) {
      if (message.to === this.id) this.core.step(message);
    }
    if (append !== undefined) this.core.stored(append);
    if (apply !== undefined) this.core.applied(apply);
  }

  store({ entries, snapshot }: Pick<AppendWork, 'entries' | 'snapshot'>): void {
    if (snapshot === undefined) {
      this.storage.append(entries);
      return;
    }
    if (entries.length > 0) {
      throw new RefusedError("can't apply snapshot and entries at the same time");
    }
    this.storage.install(snapshot);
  }

  apply(entries: ApplyWork['entries']): void {
    for (const entry of entries) this.#state = this.#stateAfter(entry);
  }

  #stateAfter(entry: Entry): SnapshotMark {
    const { index, term, kind } = entry;
    const membership = kind === 'config' ? this.core.applyConfig(entry) : this.#state.membership;
    return { index, term, membership, membershipIndex: index };
  }

  propose(data: Uint8Array): void {
    this.#append([{ kind: 'command', data }]);
  }

  proposeConfig(change: ConfigChange): void {
    const result = this.core.proposeConfig(change);
    if (result.kind === 'accepted' || result.reason === 'forwarded') return;
    if (!REPLACED.includes(result.reason)) throw dropped();
    this.#append([{ kind: 'noop', data: new Uint8Array(0) }]);
  }

  #append(proposals: Parameters<RaftCore['propose']>[0]): void {
    const result = this.core.propose(proposals);
    if (result.kind === 'dropped' && result.reason !== 'forwarded') throw dropped();
  }

  /** Returns what is printed about a message that was not taken. */
  receive({ delivery }: WireMessage): string | undefined {
    switch (delivery?.kind) {
      case 'stored':
        this.core.stored(delivery.work);
        return undefined;
      case 'applied':
        this.core.applied(delivery.work);
        return undefined;
      case 'step': {
        const { message } = delivery;
        // A message without a term counts as one of the receiver's own.
        const isTermless = message.term === 0 && message.type !== 'propose';
        const { term } = this.core.status;
        const result = this.core.step(isTermless ? { ...message, term } : message);
        if (result === 'unknownMember') return 'raft: cannot step as peer not found';
        return result === 'dropped' ? dropped().message : undefined;
      }
      case undefined:
        throw new Error('a message for a storage thread was delivered');
    }
  }
}

function dropped(): RefusedError {
  return new RefusedError('raft proposal dropped');
}
