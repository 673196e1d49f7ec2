/**
 * What callers asked a node to do, under way or done, so that a caller who lost
 * the answer can look it up.
 *
 * Bounded: so many run at once, so many that ended are kept, each kind apart.
 */

import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { MailraftError } from '../../errors.ts';
import type { PhaseReporter } from './node-port.ts';
import { type Problem, problemOf } from './problem.ts';

export type OperationKind =
  | 'switchover'
  | 'switchoverDryRun'
  | 'memberChange'
  | 'memberChangeDryRun'
  | 'barrier';

export interface OperationPhase {
  readonly name: string;
  readonly startedAt: string;
  /** Its length, so far while it runs. */
  readonly ms: number;
  /** How far it has come, in words; null where nothing is told. */
  readonly progress: string | null;
}

export interface OperationView {
  readonly id: string;
  readonly kind: OperationKind;
  readonly state: 'running' | 'done' | 'failed';
  readonly startedAt: string;
  readonly phases: readonly OperationPhase[];
  /** What it brought; null unless done. */
  readonly result: unknown;
  /** Why it failed; null unless failed. */
  readonly problem: Problem | null;
}

/** How many may run at once. */
export const RUNNING_MAX: Readonly<Record<OperationKind, number>> = {
  switchover: 1,
  switchoverDryRun: 16,
  memberChange: 1,
  memberChangeDryRun: 16,
  barrier: 1000,
};
/** How many that ended are kept of each kind. */
export const FINISHED_MAX = 100;
/** Phases that are noted; the last one swallows what follows. */
const PHASES_MAX = 100;

interface Phase {
  readonly name: string;
  readonly startedAt: string;
  readonly beganMs: number;
  endedMs: number | undefined;
  progress: string | null;
}

interface Operation {
  readonly id: string;
  readonly kind: OperationKind;
  readonly startedAt: string;
  readonly phases: Phase[];
  state: OperationView['state'];
  result: unknown;
  problem: Problem | null;
  ended: Promise<void>;
}

export class Operations {
  readonly #all = new Map<string, Operation>();
  /** Of those who wait. */
  readonly #timers = new Set<AbortController>();

  /**
   * Starts `run`; what it returns or throws becomes the operation's result or problem.
   *
   * @throws PRECONDITION_FAILED or OVERLOADED when too many of the kind are running
   */
  begin(kind: OperationKind, run: (report: PhaseReporter) => Promise<unknown>): OperationView {
    this.#makeRoom(kind);
    const operation: Operation = {
      id: randomBytes(8).toString('hex'),
      kind,
      startedAt: new Date().toISOString(),
      phases: [],
      state: 'running',
      result: null,
      problem: null,
      ended: Promise.resolve(),
    };
    this.#all.set(operation.id, operation);
    operation.ended = this.#carryOut(operation, run);
    return viewOf(operation);
  }

  find(id: string): OperationView | undefined {
    const operation = this.#all.get(id);
    return operation === undefined ? undefined : viewOf(operation);
  }

  /** The operation once it has ended, or as it stands after `timeoutMs`. */
  async wait(id: string, timeoutMs: number): Promise<OperationView> {
    const operation = this.#all.get(id);
    if (operation === undefined) throw new MailraftError('NOT_FOUND', unknownText(id));
    const timer = new AbortController();
    this.#timers.add(timer);
    // It is aborted when nobody needs it any more.
    const timeout = delay(timeoutMs, undefined, timer).catch(() => undefined);
    await Promise.race([operation.ended, timeout]);
    timer.abort();
    this.#timers.delete(timer);
    return viewOf(operation);
  }

  /** Nobody waits any longer; what runs goes on. */
  close(): void {
    for (const timer of this.#timers) timer.abort();
  }

  async #carryOut(
    operation: Operation,
    run: (report: PhaseReporter) => Promise<unknown>,
  ): Promise<void> {
    try {
      operation.result =
        (await run((phase, progress) => enter(operation, phase, progress))) ?? null;
      operation.state = 'done';
    } catch (error) {
      operation.problem = { ...problemOf(error), operation: operation.id };
      operation.state = 'failed';
    }
    endPhase(operation);
    // The one that ended last is the youngest.
    this.#all.delete(operation.id);
    this.#all.set(operation.id, operation);
    this.#forget(operation.kind);
  }

  #makeRoom(kind: OperationKind): void {
    const running = this.#of(kind, (state) => state === 'running');
    if (running.length < RUNNING_MAX[kind]) return;
    const one = { switchover: 'a switchover', memberChange: 'a change of the members' };
    if (kind === 'switchover' || kind === 'memberChange') {
      const text = `${one[kind]} is under way, see operation ${JSON.stringify(running[0]?.id)}`;
      throw new MailraftError('PRECONDITION_FAILED', text);
    }
    const text = `${running.length} operations of kind ${kind} are running, no more are accepted`;
    throw new MailraftError('OVERLOADED', text);
  }

  #forget(kind: OperationKind): void {
    const ended = this.#of(kind, (state) => state !== 'running');
    for (const { id } of ended.slice(0, -FINISHED_MAX)) this.#all.delete(id);
  }

  #of(kind: OperationKind, holds: (state: OperationView['state']) => boolean): Operation[] {
    return [...this.#all.values()].filter((one) => one.kind === kind && holds(one.state));
  }
}

/** What is said of an id that no operation has. */
export function unknownText(id: string): string {
  return `no operation ${JSON.stringify(id)}: it never was, or ended long ago`;
}

/** Tells of a phase: a new one begins, or the one under way goes on. */
function enter(operation: Operation, name: string, progress: string | undefined): void {
  const last = operation.phases.at(-1);
  if (last?.name === name && last.endedMs === undefined && progress !== undefined) {
    last.progress = progress;
    return;
  }
  if (operation.state !== 'running' || operation.phases.length >= PHASES_MAX) return;
  endPhase(operation);
  operation.phases.push({
    name,
    startedAt: new Date().toISOString(),
    beganMs: performance.now(),
    endedMs: undefined,
    progress: progress ?? null,
  });
}

function endPhase(operation: Operation): void {
  const last = operation.phases.at(-1);
  if (last !== undefined) last.endedMs ??= performance.now();
}

function viewOf(operation: Operation): OperationView {
  const { id, kind, state, startedAt, result, problem } = operation;
  const phases = operation.phases.map(({ name, startedAt: at, beganMs, endedMs, progress }) => {
    const ms = Math.round(((endedMs ?? performance.now()) - beganMs) * 10) / 10;
    return { name, startedAt: at, ms, progress };
  });
  return { id, kind, state, startedAt, phases, result, problem };
}
