/**
 * Keeps a member from elections whose storage may have lost what it acknowledged:
 * with a shorter log it would help to elect a leader that lacks committed entries.
 *
 * A member is muted from a start on damaged storage, or from the moment at which a
 * leader counts on more than is here. It votes for nobody and does not stand until it
 * holds, durably, everything that a leader of now has committed; for whoever was
 * elected without it has all that was ever committed with it.
 *
 * While muted nothing is believed of the log but what the leader has matched: entries
 * that were replaced may stand at its end again.
 */

import type { LogView } from '../core/log/log-view.ts';
import type { AppendMessage, AppendResponse, HeartbeatMessage, Message } from '../core/messages.ts';
import type { CoreStatus } from '../core/ready.ts';
import type { EntryId, LogIndex, Term } from '../core/types.ts';

type TermOf = (index: LogIndex) => Term | undefined;

export class Muting {
  #isMuted: boolean;
  /** What a leader had committed, once the log has it. */
  #whole: EntryId | undefined;
  readonly #onChange: (isMuted: boolean) => void;

  /** @param isMuted the storage was found damaged, and was not whole since */
  constructor(isMuted: boolean, onChange: (isMuted: boolean) => void) {
    this.#isMuted = isMuted;
    this.#onChange = onChange;
  }

  /** Whether this member must neither vote nor stand. */
  get isMuted(): boolean {
    return this.#isMuted;
  }

  /** A heartbeat as it may be taken in; a leader that counts on more than is here mutes. */
  heartbeat(message: HeartbeatMessage, { lastIndex, commit, term }: CoreStatus): HeartbeatMessage {
    if (message.term >= term && message.commit > lastIndex) this.#mute();
    // That the log matches up to there was true of the one that is lost.
    return this.#isMuted ? { ...message, commit: Math.min(message.commit, commit) } : message;
  }

  /** What a heartbeat is answered with besides, where its leader counts on too much. */
  answerTo(message: HeartbeatMessage, { lastIndex, term }: CoreStatus): AppendResponse | undefined {
    const { from: to, to: from, commit: index } = message;
    if (!this.#isMuted || index <= lastIndex) return undefined;
    const lost = { rejected: true, hasLost: true, hintIndex: index, hintTerm: 0 };
    return { type: 'appendResponse', from, to, term, index, ...lost };
  }

  /** A message that leaves, saying what is lost: only what is committed is sure to be there. */
  outgoing(message: Message, { commit }: CoreStatus, termOf: TermOf): Message {
    if (!this.#isMuted || message.type !== 'appendResponse' || !message.rejected) return message;
    const hintIndex = Math.min(message.hintIndex, commit);
    return { ...message, hintIndex, hintTerm: termOf(hintIndex) ?? 0, hasLost: true };
  }

  /** An append was taken in, or rejected. */
  heard(message: AppendMessage, { commit, term }: CoreStatus, termOf: TermOf): void {
    if (!this.#isMuted || message.term !== term || message.commit > commit) return;
    // Before something of its own term is committed a leader does not know what is.
    if (termOf(message.commit) === term) this.#whole = { index: message.commit, term };
  }

  /** The storage holds more than before. */
  stored(view: LogView): void {
    if (!this.#isMuted || this.#whole === undefined) return;
    if (view.termAt(this.#whole.index) !== this.#whole.term) return;
    this.#isMuted = false;
    this.#onChange(false);
  }

  #mute(): void {
    this.#whole = undefined;
    if (this.#isMuted) return;
    this.#isMuted = true;
    this.#onChange(true);
  }
}
