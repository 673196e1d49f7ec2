/**
 * Words between a daemon and its guardian: one JSON value a line, both ways.
 *
 * The two are parent and child on one machine, so there is nobody to keep out; the
 * limits are for a peer that has gone mad.
 */

import type { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { MailraftError } from '../../errors.ts';

const LINE_CHARACTERS_MAX = 1 << 20;

export interface ChannelEvents {
  onWord(word: unknown): void;
  /** Nothing comes any more: the other end is gone, or what it said was no word. */
  onEnd(reason: string): void;
}

export class LineChannel {
  readonly #stream: Duplex;
  readonly #events: ChannelEvents;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  #isOver = false;

  constructor(stream: Duplex, events: ChannelEvents) {
    this.#stream = stream;
    this.#events = events;
    stream.on('data', (bytes: Buffer) => this.#take(bytes));
    stream.on('end', () => this.#end('the other end closed the channel'));
    stream.on('close', () => this.#end('the channel was closed'));
    stream.on('error', (error) => this.#end(error.message));
  }

  /** Characters that the other end has not taken yet. */
  get waiting(): number {
    return this.#stream.writableLength;
  }

  send(word: object): void {
    if (this.#isOver) return;
    this.#stream.write(`${JSON.stringify(word)}\n`);
  }

  close(): void {
    this.#isOver = true;
    this.#stream.destroy();
  }

  #take(bytes: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(bytes)).split('\n');
    this.#rest = lines.pop() ?? '';
    try {
      for (const line of lines) {
        if (this.#isOver) return;
        this.#events.onWord(parseLine(line));
      }
      if (this.#rest.length > LINE_CHARACTERS_MAX) throw noWord('a line without end');
    } catch (error) {
      if (!(error instanceof MailraftError) || error.code !== 'DATA_INVALID') throw error;
      this.#end(error.message);
    }
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stream.destroy();
    this.#events.onEnd(reason);
  }
}

/** What is no word of the channel; its reader goes no further. */
export function noWord(about: string, cause?: unknown): MailraftError {
  return new MailraftError('DATA_INVALID', `the channel brought ${about}`, { cause });
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw noWord(JSON.stringify(line.slice(0, 100)), cause);
  }
}
