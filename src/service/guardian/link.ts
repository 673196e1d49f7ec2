/** One guardian process and the channel to it, as its daemon sees them. */

import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { MailraftError, messageOf } from '../../errors.ts';
import { bootTimeMs } from '../../platform/linux/clock.ts';
import { LineChannel } from './line-channel.ts';
import { momentNow } from './moment.ts';
import type { GuardianReport, GuardianSettings, GuardianWord, LogLevel, Order } from './words.ts';

export interface LinkEvents {
  onReport(): void;
  onLog(level: LogLevel, text: string): void;
  /** The process or its channel ended, without having been closed. */
  onGone(reason: string): void;
}

const LAST_WORDS_CHARACTERS_MAX = 2000;

/** Garbage is collected by the thread that looks at the clocks: it waits for no other. */
const NODE_OPTIONS = ['--single-threaded-gc'];

export class GuardianLink {
  readonly #child: ChildProcess;
  readonly #channel: LineChannel;
  readonly #events: LinkEvents;
  readonly #opened: {
    readonly resolve: (link: GuardianLink) => void;
    readonly reject: (error: Error) => void;
  };
  #isReady = false;
  #isClosing = false;
  #isExited = false;
  #lastWords = '';
  #protection = '';
  #report: GuardianReport | undefined;
  #sent = 0;
  #heard = 0;
  #lastServe = 0;
  /** When the orders that are not answered yet were sent. */
  readonly #sentAtMs = new Map<number, number>();
  readonly exited: Promise<void>;

  /**
   * Starts a guardian; resolves when nothing of an earlier run is left.
   *
   * @throws what the guardian refused with, or `SERVICE_FAILED` when it ended
   */
  static open(program: URL, settings: GuardianSettings, events: LinkEvents): Promise<GuardianLink> {
    return new Promise((resolve, reject) => {
      new GuardianLink({ program, settings, events, opened: { resolve, reject } });
    });
  }

  private constructor(parts: {
    readonly program: URL;
    readonly settings: GuardianSettings;
    readonly events: LinkEvents;
    readonly opened: {
      readonly resolve: (link: GuardianLink) => void;
      readonly reject: (error: Error) => void;
    };
  }) {
    const { program, settings, events, opened } = parts;
    this.#events = events;
    this.#opened = opened;
    const argv = [...NODE_OPTIONS, fileURLToPath(program), '--node', settings.node];
    const child = spawn(process.execPath, argv, {
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.exited = new Promise((resolve) => {
      const exit = (how: string) => {
        this.#isExited = true;
        resolve();
        this.#gone(how);
      };
      child.on('error', (error) => exit(`the guardian can not be started: ${messageOf(error)}`));
      child.on('exit', (code, signal) => exit(this.#epitaph(signal ?? `exit code ${code}`)));
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-LAST_WORDS_CHARACTERS_MAX);
    });
    this.#channel = new LineChannel(child.stdio[3] as Duplex, {
      onWord: (word) => this.#hear(word as GuardianWord),
      // The end of the process, which comes with it, says why.
      onEnd: (reason) => setImmediate(() => this.#gone(`no word of the guardian: ${reason}`)),
    });
    this.#channel.send({ kind: 'begin', settings });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get protection(): string {
    return this.#protection;
  }

  /** Only after it was opened. */
  get report(): GuardianReport {
    if (this.#report === undefined) {
      throw new MailraftError('INVARIANT', 'a guardian was asked before it was ready');
    }
    return this.#report;
  }

  get isExited(): boolean {
    return this.#isExited;
  }

  /** An order to serve was sent and not answered. */
  get isServePending(): boolean {
    return this.#lastServe > this.#heard;
  }

  /** How long the oldest order waits for its answer. */
  get unansweredMs(): number {
    const [oldest] = this.#sentAtMs.values();
    return oldest === undefined ? 0 : bootTimeMs() - oldest;
  }

  send(order: Order): void {
    this.#sent += 1;
    const saidAt = momentNow();
    this.#sentAtMs.set(this.#sent, saidAt.bootMs);
    if (order.kind === 'serve' || order.kind === 'restart') this.#lastServe = this.#sent;
    this.#channel.send({ kind: 'order', number: this.#sent, saidAt, order });
  }

  /** The guardian ends its tenure when the channel closes, then itself. */
  close(): void {
    this.#isClosing = true;
    this.#channel.close();
  }

  /** Its death makes the kernel end the service. */
  kill(): void {
    this.close();
    if (!this.#isExited) this.#child.kill('SIGKILL');
  }

  #hear(word: GuardianWord): void {
    switch (word.kind) {
      case 'ready':
        this.#isReady = true;
        this.#protection = word.protection;
        this.#report = word.report;
        this.#opened.resolve(this);
        return;
      case 'refused':
        this.close();
        this.#opened.reject(new MailraftError(word.code, word.message));
        return;
      case 'report':
        this.#heard = word.heard;
        this.#report = word.report;
        for (const number of this.#sentAtMs.keys()) {
          if (number <= word.heard) this.#sentAtMs.delete(number);
        }
        this.#events.onReport();
        return;
      case 'log':
        this.#events.onLog(word.level, word.text);
        return;
    }
  }

  #gone(reason: string): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    if (this.#isReady) this.#events.onGone(reason);
    else this.#opened.reject(new MailraftError('SERVICE_FAILED', reason));
  }

  #epitaph(how: string): string {
    const words = this.#lastWords.trim();
    return `the guardian ended with ${how}${words === '' ? '' : `: ${words}`}`;
  }
}
