/**
 * Asks the leader for one step after the other until a change of the members is done. Runs
 * at the node that was asked: so it goes on when the leader changes, which a change may
 * itself bring about.
 */

import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { isMailraftError, MailraftError } from '../../errors.ts';
import type { PhaseReporter } from '../../net/http/node-port.ts';
import {
  type MemberRequest,
  type StepAnswer,
  type StepQuestion,
  stepAnswerOf,
} from './change-request.ts';

export interface ChangeDriverPort {
  /** Asks whoever leads now. */
  ask(question: StepQuestion): Promise<unknown>;
  /** Moves the service away from where it is; resolves when it serves elsewhere. */
  handOver(report: PhaseReporter): Promise<unknown>;
  nowMs(): number;
}

export interface ChangeResult {
  readonly done: string;
  readonly warnings: readonly string[];
}

/** A step may ask the node that is added, and wait for a commit. */
export const MEMBER_STEP_MS_MAX = 30_000;

const AGAIN_MS = 200;
/** So long nobody may lead, or answer. */
const ABSENCE_MS_MAX = 30_000;
/** So long nothing may move. */
const STILL_MS_MAX = 10 * 60_000;
const PASSING = ['NOT_LEADER', 'NO_QUORUM', 'TIMED_OUT'] as const;

export async function driveChange(
  asked: {
    readonly request: MemberRequest;
    readonly isConfirmed: boolean;
    readonly isDryRun: boolean;
  },
  port: ChangeDriverPort,
  report: PhaseReporter,
): Promise<ChangeResult> {
  const token = randomBytes(8).toString('hex');
  let { request } = asked;
  const warnings = new Set<string>();
  const watch = new Watch(port.nowMs());
  for (;;) {
    const answer = await askOnce({ ...asked, token, request }, port, watch);
    if (answer?.state === 'done') {
      tell(answer, report);
      return { done: answer.phase, warnings: [...new Set([...warnings, ...answer.warnings])] };
    }
    if (answer !== undefined) {
      request = answer.request;
      for (const warning of answer.warnings) warnings.add(warning);
      tell(answer, report);
      report(answer.phase, answer.progress);
      watch.heard(`${answer.phase} ${answer.progress ?? ''}`, port.nowMs());
    }
    if (answer?.state === 'handOver') await port.handOver(report);
    watch.check(port.nowMs());
    await delay(AGAIN_MS);
  }
}

function tell({ steps }: StepAnswer, report: PhaseReporter): void {
  for (const step of steps) report(step);
}

/** Undefined while nobody leads: one may in a moment. */
async function askOnce(
  question: StepQuestion,
  port: ChangeDriverPort,
  watch: Watch,
): Promise<StepAnswer | undefined> {
  try {
    return stepAnswerOf(await port.ask(question));
  } catch (error) {
    const isPassing = PASSING.some((code) => isMailraftError(error, code));
    if (!isPassing || !watch.mayWait(port.nowMs())) throw error;
    return undefined;
  }
}

/** Whether it is worth going on. */
class Watch {
  #heardAtMs: number;
  #movedAtMs: number;
  #last = '';

  constructor(nowMs: number) {
    this.#heardAtMs = nowMs;
    this.#movedAtMs = nowMs;
  }

  heard(text: string, nowMs: number): void {
    this.#heardAtMs = nowMs;
    if (text !== this.#last) this.#movedAtMs = nowMs;
    this.#last = text;
  }

  mayWait(nowMs: number): boolean {
    return nowMs - this.#heardAtMs < ABSENCE_MS_MAX;
  }

  /** @throws {MailraftError} `TIMED_OUT` when nothing has moved for long */
  check(nowMs: number): void {
    if (nowMs - this.#movedAtMs < STILL_MS_MAX) return;
    const text = `nothing has moved for ${STILL_MS_MAX / 60_000} minutes: ${this.#last}; ask again to go on`;
    throw new MailraftError('TIMED_OUT', text);
  }
}
