/**
 * The volumes of one node and everything that happens to them, in one place and one
 * thread: nothing else touches the files or their index.
 *
 * ```
 * awaitingBaseline ─ origin ──▶ following ◀──▶ leading
 *        │                       ▲     ▲          │ lead lost
 *        └──▶ resyncing ─────────┘     └── unsettled ◀── start
 *                 ▲── log compacted beyond reach
 * ```
 *
 * Committed entries come in order and are taken as the mode says: while following they
 * are applied to the disk, while leading the own ones are only confirmed, while
 * unsettled only the index advances (apply gate, safety rule 9).
 */

import { assert, MailraftError, messageOf, systemCode } from '../errors.ts';
import type { Follow } from './apply/follow.ts';
import { Baseline } from './baseline.ts';
import type { BarrierResult } from './capture/capture.ts';
import { decodeCommand } from './command/codec.ts';
import type { BaselineDecree, Decree } from './command/decree.ts';
import { afterDecree, type CommittedState } from './committed-state.ts';
import { type Foundation, openFoundation, type ReplicatorOptions } from './foundation.ts';
import { Lead } from './lead.ts';
import type { CommittedItem, Parts, ReplicationPort } from './parts.ts';
import { Resync } from './resync/resync.ts';
import type { SettleResult } from './settle/settling.ts';
import { Settling } from './settle/settling.ts';
import { summaryOf, type VolumeSummary } from './summary.ts';

export type Mode = 'awaitingBaseline' | 'unsettled' | 'following' | 'leading' | 'resyncing';

/** What the replicator tells of itself. */
export interface ReplicatorStatus {
  readonly mode: Mode;
  readonly state: CommittedState;
  readonly volumes: readonly (VolumeSummary & {
    readonly name: string;
    readonly missing: number;
  })[];
  readonly missing: number;
  readonly dirty: number;
  readonly underWay: number;
  readonly watched: number;
  readonly isArmed: boolean;
  readonly overflows: number;
  readonly salvageFiles: number;
  readonly fetchedBytes: number;
  /** The journal is still needed from here, besides what is not synced. */
  readonly neededFrom: number | undefined;
  /** What keeps replication from going on, in words. */
  readonly problem: string | undefined;
}

/** What is tried again, and how soon, ms. */
const RETRY_MS = 1000;
const FLUSH_MS = 200;
const CHECKPOINT_MS = 2000;
/** Keys in memory beyond which applying waits for the store. */
const PENDING_KEYS_MAX = 20_000;

export class Replicator {
  readonly #options: ReplicatorOptions;
  readonly #foundation: Foundation;
  readonly #parts: Parts;
  readonly #follow: Follow;
  readonly #port: ReplicationPort;
  readonly #sequences = { next: 1 };
  readonly #queue: CommittedItem[] = [];
  readonly #timers: NodeJS.Timeout[];
  #mode: Mode;
  #summaries: readonly VolumeSummary[];
  #lead: Lead | undefined;
  #settling: { readonly work: Settling; readonly scanned: Promise<void> } | undefined;
  #settleTarget: { readonly index: number; readonly reason: string } | undefined;
  #wantsDisarm: (() => void)[] = [];
  #wantsState = false;
  #isPumping = false;
  #wantsPump = false;
  #isClosed = false;
  #overflows = 0;
  #problem: string | undefined;

  static async open(options: ReplicatorOptions, port: ReplicationPort): Promise<Replicator> {
    return new Replicator(options, await openFoundation(options, port), port);
  }

  private constructor(options: ReplicatorOptions, foundation: Foundation, port: ReplicationPort) {
    this.#options = options;
    this.#foundation = foundation;
    this.#parts = foundation.parts;
    this.#follow = foundation.follow;
    this.#port = port;
    this.#mode = this.#state.isBaselined ? 'unsettled' : 'awaitingBaseline';
    if (this.#state.isResyncing) {
      this.#mode = 'resyncing';
      this.#wantsState = true;
    }
    this.#summaries = this.#summariesNow();
    if (this.#mode === 'unsettled') this.#beginSettling(foundation.isUnclean);
    this.#timers = [
      setInterval(() => this.#guard(() => this.flush()), FLUSH_MS),
      setInterval(() => this.#guard(() => this.#checkpoint()), CHECKPOINT_MS),
      setInterval(() => this.#guard(() => this.#retry()), RETRY_MS),
    ];
  }

  get #state(): CommittedState {
    return this.#parts.state.current;
  }

  get status(): ReplicatorStatus {
    const { trees, local, salvage } = this.#parts;
    const { missing, chunks, contents, source } = this.#foundation;
    const needed = [chunks.oldest, source.oldestIndex].filter((index) => index !== undefined);
    return {
      mode: this.#mode,
      state: this.#state,
      volumes: trees.map(({ number, name }, at) => ({
        name,
        ...(this.#summaries[at] ?? { files: 0, bytes: 0, treeHash: '' }),
        missing: local.missingCount(number),
      })),
      missing: missing.count,
      dirty: this.#lead?.dirtyCount ?? 0,
      underWay: this.#lead?.underWayCount ?? 0,
      watched: this.#lead?.watchedCount ?? 0,
      isArmed: this.#lead?.isArmed ?? false,
      overflows: this.#overflows,
      salvageFiles: salvage.count,
      fetchedBytes: contents.bytes,
      neededFrom: needed.length === 0 ? undefined : Math.min(...needed),
      problem: this.#problem,
    };
  }

  /** Committed entries, in order; `onApplied` tells how far they were taken. */
  apply(items: readonly CommittedItem[]): void {
    for (const item of items) this.#queue.push(item);
    this.#pump();
  }

  /**
   * The log is the leader's up to `index`, which is of its own term: whatever differs
   * here may be settled.
   */
  settle(index: number, reason: string): void {
    this.#settleTarget = { index, reason };
    this.#pump();
  }

  /** The log no longer reaches this node: the state must be fetched. */
  needState(): void {
    this.#wantsState = true;
    this.#pump();
  }

  /** Indexes the origin's data, once; returns what its decree is to say. */
  async makeBaseline(): Promise<BaselineDecree> {
    assert(this.#mode === 'awaitingBaseline', `a baseline while ${this.#mode}`);
    // One that came to nothing is made anew: the files may have changed since.
    if (this.#state.draft !== undefined) await this.#foundation.forgetIndex();
    const baseline = new Baseline(this.#parts, () => this.#foundation.flush(false));
    const decree = await baseline.make();
    const draft = decree.volumes.map(({ treeHash }) => treeHash);
    this.#parts.state.current = { ...this.#state, draft };
    this.#parts.index.store.commitThrough(Number.POSITIVE_INFINITY);
    await this.#foundation.flush(true);
    return decree;
  }

  /** Watches the volumes: from here on everything that happens in them is proposed. */
  async arm(): Promise<void> {
    assert(this.#mode === 'following', `capture is armed while ${this.#mode}`);
    this.#mode = 'leading';
    const onOverflow = () => {
      this.#overflows += 1;
    };
    const lead = new Lead(this.#parts, this.#sequences, onOverflow);
    this.#lead = lead;
    await lead.arm();
  }

  /** Ends capture, once every own commit that came before is taken. */
  disarm(): Promise<void> {
    return new Promise((resolve) => {
      this.#wantsDisarm.push(resolve);
      this.#pump();
    });
  }

  /** See `Capture.barrier`; the sequence is that of the last proposal that belongs to it. */
  async barrier(): Promise<BarrierResult & { readonly sequence: number }> {
    if (this.#lead === undefined) throw new MailraftError('NOT_LEADER', 'capture is not armed');
    return await this.#lead.barrier();
  }

  /** Answers a member that fetches the state. */
  async answer(method: string, params: unknown): Promise<unknown> {
    const isWhole = this.#mode === 'leading' || this.#mode === 'following';
    if (!isWhole || this.#foundation.missing.count > 0) {
      const text = 'this node has not everything itself';
      throw new MailraftError('PRECONDITION_FAILED', text);
    }
    return await this.#foundation.source.answer(method, params);
  }

  /** Everything that is taken by now survives a loss of power. */
  async sync(): Promise<void> {
    await this.#checkpoint();
  }

  /** Writes what is committed to the store. */
  async flush(): Promise<void> {
    // Until a node is settled its index is ahead of its disk, and must not be believed.
    if (this.#mode !== 'unsettled') await this.#foundation.flush(false);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#lead?.close();
    this.#lead = undefined;
    if (this.#mode === 'following') await this.#checkpoint();
    await this.#foundation.close();
  }

  #pump(): void {
    this.#wantsPump = true;
    if (this.#isPumping || this.#isClosed) return;
    this.#isPumping = true;
    this.#guard(async () => {
      try {
        while (!this.#isClosed && this.#wantsPump) {
          // Whoever asks while this runs is heard once nothing is left to do.
          this.#wantsPump = false;
          while (!this.#isClosed && (await this.#step()));
        }
      } finally {
        this.#isPumping = false;
      }
    });
  }

  /** Does one thing; false when nothing can be done now. */
  async #step(): Promise<boolean> {
    const head = this.#queue[0];
    if (this.#wantsDisarm.length > 0 && head?.own === undefined) {
      this.#disarmNow();
      return true;
    }
    if (this.#wantsState && this.#mode !== 'leading') return await this.#fetchState();
    if (await this.#settleIfReached()) return true;
    if (head === undefined || !(await this.#take(head))) return false;
    this.#queue.shift();
    this.#port.onApplied(head.index);
    if (this.#parts.index.store.pendingKeys > PENDING_KEYS_MAX) await this.flush();
    return true;
  }

  /** Takes an entry as the mode says; false when it must wait. */
  async #take(item: CommittedItem): Promise<boolean> {
    if (item.index <= this.#state.position.index) return true;
    if (item.own !== undefined) {
      this.#confirm(item.own);
      this.#moveTo(item);
      return true;
    }
    const command = item.data === undefined ? undefined : decodeCommand(item.data);
    if (command?.kind === 'changes') {
      if (this.#mode === 'following') await this.#applyChanges(command.changes, item);
      else if (this.#mode === 'unsettled') await this.#advance(command.changes, item);
      else return false;
      return true;
    }
    if (this.#mode === 'resyncing') return false;
    if (command?.decree.kind === 'baseline' && !this.#state.isBaselined) {
      if (!(await this.#takeBaseline(command.decree))) return false;
    }
    if (command !== undefined) this.#takeDecree(command.decree, item.index);
    this.#moveTo(item);
    return true;
  }

  async #applyChanges(changes: Parameters<Follow['apply']>[0], item: CommittedItem): Promise<void> {
    const { store } = this.#parts.index;
    const layer = store.beginLayer();
    await this.#follow.apply(changes, item.index);
    store.commitThrough(layer);
    this.#summaries = this.#summariesNow();
    this.#moveTo(item);
  }

  async #advance(changes: Parameters<Settling['advance']>[0], item: CommittedItem): Promise<void> {
    assert(this.#settling !== undefined, 'nothing is being settled');
    // What is local is found against the index of before.
    await this.#settling.scanned;
    this.#parts.index.store.beginLayer();
    this.#settling.work.advance(changes, item.index);
    this.#moveTo(item);
  }

  #confirm(sequence: number): void {
    const summaries = this.#lead?.committed(sequence);
    assert(summaries !== undefined, `proposal ${sequence} came back out of turn`);
    this.#summaries = summaries;
  }

  #takeDecree(decree: Decree, index: number): void {
    this.#parts.state.current = afterDecree(this.#state, decree, index);
    this.#port.onDecree(index, decree);
  }

  #moveTo({ index, term }: CommittedItem): void {
    this.#parts.state.current = { ...this.#state, position: { index, term } };
  }

  /** The cluster's data are indexed; true when this node stands on that. */
  async #takeBaseline(decree: BaselineDecree): Promise<boolean> {
    const hashes = decree.volumes.map(({ treeHash }) => treeHash);
    if (decree.origin !== this.#parts.node) {
      this.#wantsState = true;
      return false;
    }
    if (this.#state.draft?.join() !== hashes.join()) {
      const text = 'this node is the origin of the data, and has not what it indexed';
      throw new MailraftError('PRECONDITION_FAILED', text);
    }
    this.#parts.state.current = { ...this.#state, isBaselined: true, draft: undefined };
    this.#summaries = this.#summariesNow();
    this.#mode = 'following';
    return true;
  }

  async #fetchState(): Promise<boolean> {
    const before = this.#mode;
    this.#mode = 'resyncing';
    const { dataDir, journalBytesMax } = this.#options;
    const flush = () => this.#foundation.flush(false);
    const options = { dataDir, journalBytesMax, flush };
    try {
      const resync = new Resync(this.#parts, options, this.#foundation.contents);
      await this.#settling?.scanned;
      const { state, result } = await resync.run(this.#settling?.work);
      this.#adopt(state, result);
      await this.#checkpoint();
      return true;
    } catch (error) {
      if (!isPassing(error)) throw error;
      this.#waitFor(messageOf(error));
      // Before anything was taken over the node is what it was; afterwards it is nothing.
      if (!this.#state.isResyncing) this.#mode = before;
      return false;
    }
  }

  #adopt(state: CommittedState, { manifest, differences }: SettleResult): void {
    const { synced } = this.#state;
    const { bootId } = this.#state;
    this.#parts.state.current = { ...state, synced, bootId, isResyncing: false, draft: undefined };
    this.#mode = 'following';
    this.#wantsState = false;
    this.#settling = undefined;
    this.#settleTarget = undefined;
    this.#problem = undefined;
    this.#summaries = this.#summariesNow();
    if (manifest !== undefined) this.#port.onEvent({ kind: 'salvaged', manifest });
    const { index } = state.position;
    this.#port.onEvent({ kind: 'resynced', index, fetchedBytes: this.#foundation.contents.bytes });
    this.#port.onEvent({ kind: 'settled', index, differences });
    this.#port.onStateFetched(state.position, state.tenure);
  }

  #disarmNow(): void {
    const waiting = this.#wantsDisarm;
    this.#wantsDisarm = [];
    if (this.#lead !== undefined) {
      this.#lead.close();
      this.#lead = undefined;
      this.#mode = 'unsettled';
      this.#settleTarget = undefined;
      this.#beginSettling(false);
    }
    for (const resolve of waiting) resolve();
  }

  #beginSettling(isUnclean: boolean): void {
    const work = new Settling(this.#parts, this.#foundation.contents.fetch);
    const scan = async () => {
      // What was committed before is on disk before the index runs ahead of it.
      await this.#foundation.flush(false);
      const { synced, position } = this.#state;
      const suspects = isUnclean
        ? await this.#port.readJournal(synced + 1, position.index + 1)
        : [];
      await work.scan(suspects);
    };
    const scanned = scan();
    scanned.catch((error) => this.#port.onFailed(error as Error));
    this.#settling = { work, scanned };
  }

  async #settleIfReached(): Promise<boolean> {
    const [settling, target] = [this.#settling, this.#settleTarget];
    if (this.#mode !== 'unsettled' || settling === undefined || target === undefined) return false;
    if (this.#state.position.index < target.index) return false;
    await settling.scanned;
    const { store } = this.#parts.index;
    store.beginLayer();
    const epoch = this.#state.tenure?.record.term ?? 0;
    let result: SettleResult;
    try {
      result = await settling.work.finish(epoch, target.reason);
    } catch (error) {
      if (!isPassing(error)) throw error;
      // No room to keep aside what must be kept: nothing is followed before there is.
      this.#waitFor(messageOf(error));
      return false;
    }
    store.commitThrough(Number.POSITIVE_INFINITY);
    this.#settling = undefined;
    this.#problem = undefined;
    this.#mode = 'following';
    this.#summaries = this.#summariesNow();
    const { manifest, differences } = result;
    if (manifest !== undefined) this.#port.onEvent({ kind: 'salvaged', manifest });
    this.#port.onEvent({ kind: 'settled', index: this.#state.position.index, differences });
    await this.#checkpoint();
    return true;
  }

  async #checkpoint(): Promise<void> {
    const { position, synced } = this.#state;
    if (this.#mode === 'unsettled' || position.index === synced) return;
    await this.#foundation.checkpoint.take();
  }

  #waitFor(reason: string): void {
    if (this.#problem !== reason) this.#port.onEvent({ kind: 'waiting', reason });
    this.#problem = reason;
  }

  /** What was waited for may be there now. */
  async #retry(): Promise<void> {
    if (!this.#isPumping && this.#mode === 'following' && this.#foundation.missing.count > 0) {
      this.#isPumping = true;
      const layer = this.#parts.index.store.beginLayer();
      await this.#foundation.missing.fetchSome().finally(() => {
        this.#isPumping = false;
      });
      this.#parts.index.store.commitThrough(layer);
    }
    this.#pump();
  }

  #summariesNow(): readonly VolumeSummary[] {
    const { trees, index } = this.#parts;
    return trees.map(({ number }) => summaryOf(index, number));
  }

  /** Runs `work`; what it throws is the end of this node's replication. */
  #guard(work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      if (!this.#isClosed) this.#port.onFailed(error as Error);
    });
  }
}

/** Troubles that pass: no room, nobody to ask. */
function isPassing(error: unknown): boolean {
  const code = systemCode(error);
  const passing = ['ENOSPC', 'EDQUOT', 'NO_SPACE', 'NO_QUORUM', 'TIMED_OUT', 'NOT_LEADER'];
  return code !== undefined && [...passing, 'PRECONDITION_FAILED', 'OVERLOADED'].includes(code);
}
