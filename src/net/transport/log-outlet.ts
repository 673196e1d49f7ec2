/**
 * What leaves for one peer's log: entries, answers, and the commit index by itself.
 *
 * A commit index alone is worth a message, but not at once: under load the next entries
 * are about to leave and carry it. So it waits a moment for them, and leaves alone only
 * when none come. Raft loses nothing by it: what waits is one of the messages that a
 * network may be slow with, and what takes its place says at least as much.
 */

import type { PeerMessage } from '../../consensus/host/ports.ts';

/** The shortest time that a timer of Node knows. */
const NOTICE_WAITS_MS = 1;

export class LogOutlet {
  readonly #send: (message: PeerMessage) => void;
  /** An append without entries, the last one that was given. */
  #notice: PeerMessage | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (message: PeerMessage) => void) {
    this.#send = send;
  }

  send(peerMessage: PeerMessage): void {
    const { message } = peerMessage;
    if (message.type === 'append' && message.entries.length === 0) {
      this.#notice = peerMessage;
      this.#timer ??= setTimeout(() => this.#flush(), NOTICE_WAITS_MS);
      return;
    }
    if (message.type === 'append') this.#notice = undefined;
    else this.#flush();
    this.#send(peerMessage);
  }

  /** What waits is not sent any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#notice = undefined;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const notice = this.#notice;
    this.#notice = undefined;
    if (notice !== undefined) this.#send(notice);
  }
}
