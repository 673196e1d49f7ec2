/**
 * What a directive prints. The highest log level silences everything but errors; the
 * levels below it concern a library's own log lines, of which there are none here.
 */

const LEVELS = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'NONE'];

export class Output {
  #lines: string[] = [];
  #indent = '';
  #level = 'DEBUG';

  get level(): string {
    return this.#level;
  }

  /** Returns why not, when there is no such level. */
  setLevel(name: string): string | undefined {
    const level = name.toUpperCase();
    if (!LEVELS.includes(level)) return `log levels must be either of [${LEVELS.join(' ')}]`;
    this.#level = level;
    return undefined;
  }

  print(...lines: readonly string[]): void {
    if (this.#level === 'NONE') return;
    for (const line of lines) this.#lines.push(`${this.#indent}${line}`);
  }

  /** Prints a heading, and what `body` prints under it. */
  under(heading: string, body: () => void): void {
    this.print(heading);
    const indent = this.#indent;
    this.#indent = `${indent}  `;
    try {
      body();
    } finally {
      this.#indent = indent;
    }
  }

  /** The lines since the last call; an error ends them, or stands alone when all is silent. */
  take(error: string | undefined): readonly string[] {
    const lines = this.#lines;
    this.#lines = [];
    if (error !== undefined) lines.push(error);
    return lines.length === 0 ? ['ok'] : lines;
  }
}
