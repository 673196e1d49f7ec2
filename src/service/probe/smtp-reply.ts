/**
 * Replies of an SMTP server (RFC 5321, 4.2), from bytes that come in any pieces.
 * Bounded: a server that never ends a line or a reply is refused.
 */

import { MailraftError } from '../../errors.ts';

/** Twice what the standard allows, since some servers allow themselves more. */
const LINE_BYTES_MAX = 1024;
const LINES_MAX = 100;
const SHOWN_CHARACTERS_MAX = 80;
const NEWLINE = 0x0a;

export interface SmtpReply {
  readonly code: number;
  /** Its first line, shortened. */
  readonly text: string;
}

export class SmtpReplyReader {
  #pending = Buffer.alloc(0);
  #lines: string[] = [];

  /**
   * Takes bytes and returns the replies that they complete.
   *
   * @throws MailraftError `DATA_INVALID` for what is no reply, or too long for one
   */
  push(bytes: Uint8Array): readonly SmtpReply[] {
    const replies: SmtpReply[] = [];
    let rest = Buffer.concat([this.#pending, bytes]);
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      if (end >= LINE_BYTES_MAX) refuse('a line is too long', rest.toString('latin1'));
      const reply = this.#line(rest.toString('latin1', 0, end).replace(/\r$/, ''));
      if (reply !== undefined) replies.push(reply);
      rest = rest.subarray(end + 1);
    }
    if (rest.length >= LINE_BYTES_MAX) refuse('a line is too long', rest.toString('latin1'));
    this.#pending = Buffer.from(rest);
    return replies;
  }

  #line(line: string): SmtpReply | undefined {
    const [first = line] = this.#lines;
    const isReply = /^[2-5][0-9]{2}([ -]|$)/.test(line) && line.startsWith(first.slice(0, 3));
    if (!isReply) refuse('not an SMTP reply', line);
    this.#lines.push(line);
    if (this.#lines.length > LINES_MAX) refuse(`more than ${LINES_MAX} lines`, first);
    if (line[3] === '-') return undefined;
    this.#lines = [];
    return { code: Number(line.slice(0, 3)), text: shown(first) };
  }
}

function refuse(what: string, found: string): never {
  throw new MailraftError('DATA_INVALID', `${what}: ${JSON.stringify(shown(found))}`);
}

function shown(text: string): string {
  return text.slice(0, SHOWN_CHARACTERS_MAX);
}
