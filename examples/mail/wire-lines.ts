/**
 * A stored message as POP3 carries it (RFC 1939, section 3): every line ends in CRLF,
 * a line that begins with a dot gets a second one, and the last line is ended.
 * Chunks may be cut anywhere.
 */

const LF = 0x0a;
const CR = 0x0d;
const CRLF = Buffer.from('\r\n');
const DOT = Buffer.from('.');
const NOTHING = Buffer.alloc(0);

export class WireLines {
  /** Octets so far as POP3 counts them: CRLF line ends, without the added dots. */
  octets = 0;
  #isAtLineStart = true;
  #endsInCarriageReturn = false;

  push(chunk: Buffer): Buffer {
    const parts: Buffer[] = [];
    for (let at = 0; at < chunk.length; ) {
      if (this.#isAtLineStart && chunk[at] === DOT[0]) parts.push(DOT);
      const lineEnd = chunk.indexOf(LF, at);
      if (lineEnd === -1) {
        parts.push(this.#take(chunk.subarray(at)));
        break;
      }
      parts.push(this.#take(chunk.subarray(at, lineEnd)), this.#endLine());
      at = lineEnd + 1;
    }
    return Buffer.concat(parts);
  }

  /** What is missing for the last line to be a line. */
  finish(): Buffer {
    return this.#isAtLineStart ? NOTHING : this.#endLine();
  }

  #take(text: Buffer): Buffer {
    if (text.length > 0) {
      this.#isAtLineStart = false;
      this.#endsInCarriageReturn = text[text.length - 1] === CR;
    }
    this.octets += text.length;
    return text;
  }

  /** The line end as it is missing: all of CRLF, or the LF after a CR that went out already. */
  #endLine(): Buffer {
    const end = this.#endsInCarriageReturn ? CRLF.subarray(1) : CRLF;
    this.octets += end.length;
    this.#isAtLineStart = true;
    this.#endsInCarriageReturn = false;
    return end;
  }
}

/** Cuts a message after its header, the empty line and a number of body lines (`TOP`). */
export class TopLines {
  #bodyLinesLeft: number;
  #isInBody = false;
  #lineBytes = 0;
  #lineFirstByte: number | undefined;

  constructor(bodyLines: number) {
    this.#bodyLinesLeft = bodyLines;
  }

  /** Whether nothing that follows belongs to the answer. */
  get isComplete(): boolean {
    return this.#isInBody && this.#bodyLinesLeft === 0;
  }

  /** The part of `chunk` that belongs to the answer. */
  take(chunk: Buffer): Buffer {
    let at = 0;
    while (at < chunk.length && !this.isComplete) {
      const lineEnd = chunk.indexOf(LF, at);
      const line = chunk.subarray(at, lineEnd === -1 ? chunk.length : lineEnd);
      if (this.#lineBytes === 0) this.#lineFirstByte = line[0];
      this.#lineBytes += line.length;
      if (lineEnd === -1) return chunk;
      this.#endLine();
      at = lineEnd + 1;
    }
    return chunk.subarray(0, at);
  }

  #endLine(): void {
    const isEmpty = this.#lineBytes === 0 || (this.#lineBytes === 1 && this.#lineFirstByte === CR);
    if (this.#isInBody) this.#bodyLinesLeft -= 1;
    else if (isEmpty) this.#isInBody = true;
    this.#lineBytes = 0;
  }
}
