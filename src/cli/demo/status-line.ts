/** The last line of a terminal, written over and over; without a terminal, nothing. */

const LINE_START_AND_CLEAR = '\r\u001b[K';

export class StatusLine {
  readonly #terminal: NodeJS.WriteStream | undefined;
  #isShown = false;

  constructor(terminal: NodeJS.WriteStream | undefined) {
    this.#terminal = terminal;
  }

  /** Shows `text` in place of what was there, cut to the terminal's width. */
  show(text: string): void {
    if (this.#terminal === undefined) return;
    const { columns } = this.#terminal;
    this.#terminal.write(`${LINE_START_AND_CLEAR}${text.slice(0, columns - 1)}`);
    this.#isShown = true;
  }

  /** Makes room for an ordinary line. */
  clear(): void {
    if (this.#isShown) this.#terminal?.write(LINE_START_AND_CLEAR);
    this.#isShown = false;
  }
}
