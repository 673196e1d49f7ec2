/**
 * How the journal and its thread reach each other and come to their turns: by a worker in
 * the daemon, by whatever stands in for one elsewhere.
 */

import type { FromThread, ToThread } from './thread-messages.ts';

/** The thread, as the journal sees it. */
export interface JournalLink {
  /** What is in `given` may be taken away from the sender. */
  tell(message: ToThread, given?: readonly ArrayBuffer[]): void;
  listen(events: LinkEvents): void;
}

export interface LinkEvents {
  onMessage(message: FromThread): void;
  onError(error: Error): void;
  onExit(): void;
}

/** When something is done that is not done at once. */
export interface Turns {
  /** Once what runs now is through. */
  soon(act: () => void): void;
  /** @returns what takes it back */
  later(ms: number, act: () => void): () => void;
}

/** The journal, as its thread sees it. */
export interface ThreadPort {
  tell(message: FromThread): void;
  /** The next message that is there already. */
  take(): ToThread | undefined;
  /** Nothing more will be told or taken. */
  close(): void;
}

export const realTurns: Turns = {
  soon: (act) => process.nextTick(act),
  later: (ms, act) => {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
};
