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

import { assert, MailraftError } from '../errors.ts';
import type { Follow } from './apply/follow.ts';
import { Baseline } from './baseline.ts';
import type { BarrierResult } from './capture/capture.ts';
import { decodeCommand } from './command/codec.ts';
import type { BaselineDecree, Decree } from './command/decree.ts';
import { afterDecree, type CommittedState } from './committed-state.ts';
import { type Foundation, openFoundation, type ReplicatorOptions } from './foundation.ts';
import { Lead } from './lead.ts';
import type { CommittedItem, Parts, ReplicationPort } from './parts.ts';
import { isPassing, type Problems } from './problems.ts';
import { Resync } from './resync/resync.ts';
import type { SalvageManifest } from './salvage/salvage-store.ts';
import { type SettleResult, Settling } from './settle/settling.ts';
import { suspectsOf } from './settle/suspects.ts';
import { type Mode, type ReplicatorStatus, statusOf } from './status.ts';
import { summaryOf, type VolumeSummary } from './summary.ts';
import { Turns } from './turns.ts';
import { Upkeep } from './upkeep.ts';

/** What is tried again, and how soon, ms. */
const RETRY_MS = 1000;
/** What changes without anybody being told is told this often. */
const CHANGE_MS = 200;

export class Replicator {
  readonly #options: ReplicatorOptions;
  readonly #onChange: () => void;
  readonly #problems: Problems;
  readonly #foundation: Foundation;
  readonly #parts: Parts;
  readonly #follow: Follow;
  readonly #port: ReplicationPort;
  readonly #sequences = { next: 1 };
  readonly #queue: CommittedItem[] = [];
  readonly #timers: NodeJS.Timeout[];
  #mode: Mode;
  #summaries: readonly VolumeSummary[] = [];
  #summariesIndex = 0;
  #lead: Lead | undefined;
  #settling: { readonly work: Settling; readonly scanned: Promise<void> } | undefined;
  #settleTarget: { readonly index: number; readonly reason: string } | undefined;
  readonly #wantsDisarm: (() => void)[] = [];
  #wantsState = false;
  /** What works on files and index does so one after the other. */
  readonly #turns: Turns;
  readonly #upkeep: Upkeep;
  #isPumping = false;
  #wantsPump = false;
  #isRetrying = false;
  readonly #closing: AbortController;
  #overflows = 0;

  /** @param onChange hears that the status may be another one */
  static async open(
    options: ReplicatorOptions,
    port: ReplicationPort,
    onChange: () => void = () => undefined,
  ): Promise<Replicator> {
    const closing = new AbortController();
    const foundation = await openFoundation(options, port, closing.signal);
    return new Replicator(options, foundation, { closing, onChange });
  }

  private constructor(
    options: ReplicatorOptions,
    foundation: Foundation,
    { closing, onChange }: { readonly closing: AbortController; readonly onChange: () => void },
  ) {
    this.#options = options;
    this.#closing = closing;
    this.#onChange = onChange;
    this.#foundation = foundation;
    this.#parts = foundation.parts;
    this.#problems = foundation.parts.problems;
    this.#follow = foundation.follow;
    this.#port = foundation.parts.port;
    this.#mode = this.#state.isBaselined ? 'unsettled' : 'awaitingBaseline';
    if (this.#state.isResyncing) {
      this.#mode = 'resyncing';
      this.#wantsState = true;
    }
    this.#summarise();
    if (this.#mode === 'unsettled') this.#beginSettling(true);
    this.#turns = new Turns(closing.signal, onChange);
    const failed = (error: unknown) => this.#failed(error);
    this.#upkeep = new Upkeep(foundation, () => this.#mode !== 'unsettled', failed);
    this.#timers = [
      setInterval(onChange, CHANGE_MS),
      setInterval(() => this.#guard(() => this.#retry()), RETRY_MS),
    ];
  }

  get #state(): CommittedState {
    return this.#parts.state.current;
  }

  get status(): ReplicatorStatus {
    return statusOf(this.#foundation, {
      mode: this.#mode,
      summaries: this.#summaries,
      treeHashIndex: this.#summariesIndex,
      lead: this.#lead,
      overflows: this.#overflows,
    });
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
  makeBaseline(): Promise<BaselineDecree> {
    return this.#turns.take(async () => {
      assert(this.#mode === 'awaitingBaseline', `a baseline while ${this.#mode}`);
      // One that came to nothing is made anew: the files may have changed since.
      if (this.#state.draft !== undefined) await this.#foundation.forgetIndex();
      const baseline = new Baseline(this.#parts, () => this.#foundation.flush(false));
      const decree = await baseline.make();
      this.#note({ draft: decree.volumes.map(({ treeHash }) => treeHash) });
      this.#parts.index.store.commitThrough(Number.POSITIVE_INFINITY);
      await this.#foundation.flush(true);
      return decree;
    });
  }

  /** Watches the volumes: from here on everything that happens in them is proposed. */
  arm(): Promise<void> {
    return this.#turns.take(async () => {
      assert(this.#mode === 'following', `capture is armed while ${this.#mode}`);
      // Whatever happens from here on, what stands here may be what nobody else has.
      this.#note({ hasLed: true });
      await this.#foundation.flush(true);
      this.#mode = 'leading';
      const lead = new Lead(this.#parts, this.#sequences, {
        onOverflow: () => {
          this.#overflows += 1;
        },
        onFailed: (error) => this.#failed(error),
      });
      this.#lead = lead;
      await lead.arm();
    });
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

  /** Answers the member `from`, which fetches the state. */
  async answer(method: string, params: unknown, from: string): Promise<unknown> {
    const isWhole = this.#mode === 'leading' || this.#mode === 'following';
    if (!isWhole || this.#foundation.missing.count > 0) {
      const text = 'this node has not everything itself';
      throw new MailraftError('PRECONDITION_FAILED', text);
    }
    return await this.#foundation.source.answer(method, params, from);
  }

  /** Everything that is taken by now survives a loss of power. */
  async sync(): Promise<void> {
    await this.#upkeep.sync();
  }

  /** What is kept aside here, oldest first. */
  async salvage(): Promise<readonly SalvageManifest[]> {
    return this.#parts.salvage.list();
  }

  /** Ends after what is being done; what was not done is done after the next start. */
  async close(): Promise<void> {
    const hasFailed = this.#isClosed;
    this.#halt();
    // Descriptors and store must not be taken from under what still uses them.
    await Promise.allSettled([this.#turns.idle(), this.#settling?.scanned]);
    try {
      if (!hasFailed) await this.#upkeep.finish();
    } finally {
      await this.#foundation.close();
    }
  }

  #halt(): void {
    this.#closing.abort();
    for (const timer of this.#timers) clearInterval(timer);
    this.#upkeep.stop();
    this.#lead?.close();
    this.#lead = undefined;
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  #pump(): void {
    this.#wantsPump = true;
    if (this.#isPumping || this.#isClosed) return;
    this.#isPumping = true;
    this.#guard(() =>
      this.#turns.take(async () => {
        try {
          while (!this.#isClosed && this.#wantsPump) {
            // Whoever asks while this runs is heard once nothing is left to do.
            this.#wantsPump = false;
            while (!this.#isClosed && (await this.#step())) this.#onChange();
          }
        } finally {
          this.#isPumping = false;
        }
      }),
    );
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
    await this.#upkeep.relieve();
    return true;
  }

  /** Takes an entry as the mode says; false when it must wait. */
  async #take(item: CommittedItem): Promise<boolean> {
    const { index: last } = this.#state.position;
    if (item.index <= last) return true;
    assert(item.index === last + 1, `entry ${item.index} came after entry ${last}`);
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
    this.#moveTo(item);
    this.#summarise();
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

  #note(change: Partial<CommittedState>): void {
    this.#parts.state.current = { ...this.#state, ...change };
  }

  #moveTo({ index, term }: CommittedItem): void {
    this.#note({ position: { index, term } });
    // While unsettled the hashes stay those of before.
    if (this.#mode === 'following' || this.#mode === 'leading') this.#summariesIndex = index;
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
    this.#note({ isBaselined: true, draft: undefined });
    this.#mode = 'following';
    this.#summarise();
    return true;
  }

  async #fetchState(): Promise<boolean> {
    const before = this.#mode;
    this.#mode = 'resyncing';
    this.#onChange();
    const { dataDir, journalBytesMax } = this.#options;
    const flush = () => this.#foundation.flush(false);
    const options = { dataDir, journalBytesMax, flush };
    try {
      const resync = new Resync(this.#parts, options, this.#foundation);
      await this.#settling?.scanned;
      const { state, result } = await resync.run(this.#settling?.work);
      this.#adopt(state, result);
    } catch (error) {
      if (!isPassing(error)) throw error;
      this.#problems.set('fetch', error);
      // Before anything was taken over the node is what it was; afterwards it is nothing.
      if (!this.#state.isResyncing) this.#mode = before;
      return false;
    }
    await this.#upkeep.sync();
    return true;
  }

  #adopt(state: CommittedState, { manifest, differences }: SettleResult): void {
    const { synced } = this.#state;
    this.#note({ ...state, synced, hasLed: false, isResyncing: false, draft: undefined });
    this.#mode = 'following';
    this.#wantsState = false;
    this.#settling = undefined;
    this.#settleTarget = undefined;
    this.#problems.clear('fetch');
    this.#problems.clear('settle');
    this.#summarise();
    if (manifest !== undefined) this.#port.onEvent({ kind: 'salvaged', manifest });
    const { index } = state.position;
    this.#port.onEvent({ kind: 'resynced', index, fetchedBytes: this.#foundation.contents.bytes });
    this.#port.onEvent({ kind: 'settled', index, differences });
    this.#port.onStateFetched(state.position, state.tenure);
  }

  #disarmNow(): void {
    if (this.#lead !== undefined) {
      this.#lead.close();
      this.#lead = undefined;
      this.#mode = 'unsettled';
      this.#settleTarget = undefined;
      this.#beginSettling(false);
    }
    for (const resolve of this.#wantsDisarm.splice(0)) resolve();
  }

  /** @param isStart what was not synced may have been lost from the disk since it was written */
  #beginSettling(isStart: boolean): void {
    const work = new Settling(this.#parts, this.#foundation);
    const scan = async () => {
      // What was committed before is on disk before the index runs ahead of it.
      await this.#problems.untilRoom('store', () => this.#foundation.flush(false));
      const { journal } = this.#options;
      await work.scan(isStart ? await suspectsOf(this.#state, this.#port, journal) : []);
    };
    const scanned = scan();
    this.#guard(() => scanned);
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
      this.#problems.set('settle', error);
      return false;
    }
    store.commitThrough(Number.POSITIVE_INFINITY);
    this.#settling = undefined;
    this.#problems.clear('settle');
    this.#note({ hasLed: false });
    this.#mode = 'following';
    this.#summarise();
    const { manifest, differences } = result;
    if (manifest !== undefined) this.#port.onEvent({ kind: 'salvaged', manifest });
    this.#port.onEvent({ kind: 'settled', index: this.#state.position.index, differences });
    await this.#upkeep.sync();
    return true;
  }

  /** What was waited for may be there now. */
  async #retry(): Promise<void> {
    const lacks = this.#mode === 'following' && this.#foundation.missing.count > 0;
    if (lacks && !this.#isPumping && !this.#isRetrying) {
      this.#isRetrying = true;
      await this.#turns
        .take(() => this.#fetchMissing())
        .finally(() => {
          this.#isRetrying = false;
        });
    }
    this.#pump();
  }

  async #fetchMissing(): Promise<void> {
    if (this.#mode !== 'following') return;
    const layer = this.#parts.index.store.beginLayer();
    await this.#problems.untilRoom('apply', () => this.#foundation.missing.fetchSome());
    this.#parts.index.store.commitThrough(layer);
  }

  #summarise(): void {
    const { trees, index } = this.#parts;
    this.#summaries = trees.map(({ number }) => summaryOf(index, number));
    this.#summariesIndex = this.#state.position.index;
  }

  /** Runs `work`; what it throws is the end of this node's replication. */
  #guard(work: () => Promise<void>): void {
    work().catch((error: unknown) => this.#failed(error));
  }

  /** Nothing goes on: what the disk holds is unknown, and must not be believed later. */
  #failed(error: unknown): void {
    if (this.#isClosed) return;
    this.#halt();
    this.#port.onFailed(error as Error);
  }
}
