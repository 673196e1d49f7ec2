/** Clients that each write, wait for the answer, and write again. */

import { openClient } from '../clients/open-client.ts';
import { valueFor, type WriteClient } from '../clients/write-client.ts';
import { keyOf, type Load } from './load-words.ts';

export interface LoopEvents {
  /** A write of a client was answered after so long. */
  onAnswer(client: number, ms: number): void;
  /** A write failed; its client stops. */
  onFailure(client: number, error: Error): void;
}

export class ClosedLoop {
  readonly #load: Load;
  readonly #events: LoopEvents;
  readonly #clients: readonly WriteClient[];
  #isStopped = false;

  constructor(load: Load, events: LoopEvents) {
    this.#load = load;
    this.#events = events;
    this.#clients = Array.from({ length: load.clients }, () => openClient(load.system, load.port));
    for (const client of this.#clients.keys()) this.#write(client, 0);
  }

  stop(): void {
    this.#isStopped = true;
    for (const client of this.#clients) client.close();
  }

  #write(client: number, write: number): void {
    const { prefix, valueBytes } = this.#load;
    const key = keyOf(prefix, client, write);
    const value = valueFor(key, valueBytes);
    const begunAtMs = performance.now();
    this.#clients[client]?.put(key, value, (error) => {
      if (this.#isStopped) return;
      if (error !== undefined) {
        this.#events.onFailure(client, error);
        return;
      }
      this.#events.onAnswer(client, performance.now() - begunAtMs);
      this.#write(client, write + 1);
    });
  }
}
