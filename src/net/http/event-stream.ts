/**
 * Live events for whoever listens, as server-sent events.
 *
 * The last events are kept: a listener gets them first, or those after the one it
 * names as its last. A listener that does not keep up is cut off, it never holds
 * the node's memory.
 */

import { PassThrough, type Readable } from 'node:stream';
import { MailraftError } from '../../errors.ts';

/** Something that happened; what else it carries is up to its kind. */
export interface NodeEvent {
  /** One word. */
  readonly kind: string;
  readonly [key: string]: unknown;
}

const KEPT_MAX = 100;
const LISTENERS_MAX = 64;
const HEARTBEAT_MS = 15_000;
const WAITING_BYTES_MAX = 1024 * 1024;
const RETRY_MS = 2_000;

interface Kept {
  readonly id: string;
  readonly text: string;
}

export class EventStream {
  readonly #listeners = new Set<PassThrough>();
  readonly #kept: Kept[] = [];
  readonly #heartbeat: NodeJS.Timeout;
  /** Ids of another run mean nothing in this one. */
  readonly #run = Date.now().toString(36);
  #count = 0;

  constructor(heartbeatMs: number = HEARTBEAT_MS) {
    this.#heartbeat = setInterval(() => this.#send(':\n\n'), heartbeatMs);
    this.#heartbeat.unref();
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  publish(event: NodeEvent): void {
    this.#count += 1;
    const id = `${this.#run}-${this.#count}`;
    const data = JSON.stringify({ at: new Date().toISOString(), ...event });
    const text = `id: ${id}\nevent: ${event.kind}\ndata: ${data}\n\n`;
    this.#kept.push({ id, text });
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
    this.#send(text);
  }

  /**
   * A stream of events, beginning with those kept after `lastId`.
   *
   * @throws OVERLOADED when too many listen
   */
  open(lastId: string | undefined): Readable {
    if (this.#listeners.size >= LISTENERS_MAX) {
      throw new MailraftError('OVERLOADED', `${LISTENERS_MAX} clients listen, no more can`);
    }
    const listener = new PassThrough();
    this.#listeners.add(listener);
    listener.on('close', () => this.#listeners.delete(listener));
    // Its connection may break at any time; `close` follows.
    listener.on('error', () => undefined);
    const seen = this.#kept.findIndex(({ id }) => id === lastId);
    const missed = this.#kept.slice(seen + 1).map(({ text }) => text);
    listener.write(`retry: ${RETRY_MS}\n\n${missed.join('')}`);
    return listener;
  }

  close(): void {
    clearInterval(this.#heartbeat);
    for (const listener of this.#listeners) listener.end();
  }

  #send(text: string): void {
    for (const listener of this.#listeners) {
      if (listener.readableLength + listener.writableLength > WAITING_BYTES_MAX) listener.destroy();
      else listener.write(text);
    }
  }
}
