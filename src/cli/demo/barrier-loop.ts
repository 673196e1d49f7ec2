/**
 * Barriers back to back, as long as the load lasts: each is asked the moment the one
 * before was answered. It waits for nobody and nobody waits for it; a barrier that fails
 * is noted and the next one goes to another node.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { assert } from '../../errors.ts';
import type { NodeClient } from './node-client.ts';
import { monotonicMs } from './smtp-session.ts';
import type { BarrierRecord } from './verdict-coverage.ts';

const WAIT_S_MAX = 3;
/** After a failure, so that a node that is down is not asked without a pause. */
const PAUSE_MS = 20;

export class BarrierLoop {
  readonly #clients: readonly NodeClient[];
  readonly #records: BarrierRecord[] = [];
  #target = 0;
  #isStopping = false;
  #running: Promise<void> | undefined;

  constructor(clients: readonly NodeClient[]) {
    this.#clients = clients;
  }

  /** Those that ended so far, in the order of their ends. */
  get records(): readonly BarrierRecord[] {
    return this.#records;
  }

  start(): void {
    assert(this.#running === undefined, 'a barrier loop is started once');
    this.#running = this.#run();
    // Its failure is told by `stop`.
    this.#running.catch(() => {});
  }

  /** The next barriers go to this node, until one fails. */
  prefer(id: string): void {
    this.#target = this.#clients.findIndex((client) => client.id === id);
  }

  /** Whether one that was asked after `timeMs` succeeded. */
  hasCovered(timeMs: number): boolean {
    return this.#records.some(({ requestedAtMs, ok }) => ok && requestedAtMs > timeMs);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const client = this.#clients[this.#target % this.#clients.length];
      assert(client !== undefined, 'there is a node to ask');
      const requestedAtMs = monotonicMs();
      const answer = await client.operate('/v1/barrier', WAIT_S_MAX);
      const ok = answer?.status === 200;
      this.#records.push({ requestedAtMs, answeredAtMs: monotonicMs(), ok });
      if (ok) continue;
      this.#target += 1;
      await delay(PAUSE_MS);
    }
  }
}
