/**
 * Follows something that a node does until it has ended. Once it has begun, only
 * the node's word ends it: whatever keeps that word away makes the outcome unknown,
 * and the error names the operation.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { MailraftError, messageOf } from '../errors.ts';
import { type OperationView, readOperation } from './answers.ts';
import type { NodeClient } from './http-client.ts';
import { problemOf } from './problem.ts';

const POLL_MS = 100;

export interface FollowOptions {
  readonly timeoutMs: number;
  /** Called once per phase, as it begins; `atMs` by the clock of the node. */
  readonly onPhase?: (name: string, atMs: number) => void;
  /** Called when the phase under way tells something new. */
  readonly onProgress?: (progress: string) => void;
}

/**
 * The ended operation, or the error that it ended with.
 *
 * @param begun the answer to the call that began it
 */
export async function follow(
  client: NodeClient,
  begun: OperationView,
  { timeoutMs, onPhase, onProgress }: FollowOptions,
): Promise<OperationView> {
  const endAtMs = performance.now() + timeoutMs;
  let seen = 0;
  let progress: string | undefined;
  let view = begun;
  for (;;) {
    for (const [at, { name }] of view.phases.entries()) {
      if (at >= seen) onPhase?.(name, beginOf(view, at));
    }
    seen = view.phases.length;
    const told = view.phases.at(-1)?.progress ?? undefined;
    if (told !== undefined && told !== progress) onProgress?.(told);
    progress = told;
    if (view.state === 'done') return view;
    if (view.state === 'failed') throw problemOf(0, view.problem, `operation ${view.id}`);
    view = await nextView(client, view.id, endAtMs);
  }
}

/** A phase begins when those before it have ended. */
function beginOf({ phases }: OperationView, at: number): number {
  return phases.slice(0, at).reduce((sum, { ms }) => sum + ms, 0);
}

/** How it stands a little later; a node that is silent for a while is asked again. */
async function nextView(client: NodeClient, id: string, endAtMs: number): Promise<OperationView> {
  let silence = '';
  while (performance.now() < endAtMs) {
    await delay(POLL_MS);
    try {
      return readOperation(await client.get(`v1/operations/${encodeURIComponent(id)}`));
    } catch (error) {
      if (!(error instanceof MailraftError)) throw error;
      // A node that began again knows nothing of what it did before.
      if (error.code === 'NOT_FOUND') {
        throw unknownOutcome(id, `is not known to ${client.address} any more`);
      }
      silence = ` (${messageOf(error)})`;
    }
  }
  throw unknownOutcome(id, `has not ended in time${silence}`);
}

function unknownOutcome(id: string, what: string): MailraftError {
  const text = `operation ${id} ${what}; its outcome is unknown, see status and history`;
  return new MailraftError('TIMED_OUT', text);
}
