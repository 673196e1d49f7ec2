/**
 * A bounded load of real mail on one SMTP address, with an exact account of it.
 *
 * A number of sessions deliver one message at a time each, share one rate and come back
 * at once when the service fails. A message whose final dot got no 250 may exist or not:
 * it is noted as unknown and sent again under another id, so that every id is on one
 * side of the ledger only. All times are on the machine's monotonic clock.
 */

import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { assert, isMailraftError, systemCode } from '../../errors.ts';
import { stampMessage } from './corpus.ts';
import {
  type AnsweredMessage,
  BoundedList,
  findOutage,
  type Ledger,
  type Outage,
  type UnknownMessage,
} from './smtp-ledger.ts';
import { monotonicMs, SmtpSession } from './smtp-session.ts';

export interface SmtpLoadOptions {
  readonly host: string;
  readonly port: number;
  /** Connections at the same time, 1 to 64. */
  readonly sessions: number;
  /** Message `index` with CRLF line ends; it is stamped with its id before it is sent. */
  readonly message: (index: number) => Promise<Buffer>;
  /** Begins every id; another one for each load on the same store. */
  readonly idPrefix: string;
  /** Ends by itself after so many answered messages; without it, goes on until `stop`. */
  readonly total?: number;
  /** Messages begun per second by all sessions together; without it, as fast as it goes. */
  readonly ratePerSecond?: number;
  readonly onAnswered?: (message: AnsweredMessage) => void;
  /** @default 500 */
  readonly connectMsMax?: number;
  /** @default 3000; a client that has lost its server without a word waits so long. */
  readonly replyMsMax?: number;
}

const SESSIONS_MAX = 64;
const LEDGER_ENTRIES_MAX = 500_000;
const SUCCESSES_MAX = 200_000;
const BACKOFF_STEP_MS = 5;
const BACKOFF_MS_MAX = 25;
/** How long a stop waits for messages that are on their way. */
const STOP_MS_MAX = 3_000;

export class SmtpLoad {
  readonly #options: SmtpLoadOptions;
  readonly #answered: BoundedList<AnsweredMessage> = new BoundedList(LEDGER_ENTRIES_MAX);
  readonly #unknown: BoundedList<UnknownMessage> = new BoundedList(LEDGER_ENTRIES_MAX);
  readonly #successesAtMs: BoundedList<number> = new BoundedList(SUCCESSES_MAX);
  readonly #sessions: Set<SmtpSession> = new Set();
  readonly #stopping: AbortController = new AbortController();
  #running: Promise<void> | undefined;
  #nextIndex = 0;
  #indexEnd: number;
  #nextSlotMs = 0;
  #answeredCount = 0;
  #refusedCount = 0;

  constructor(options: SmtpLoadOptions) {
    assert(options.sessions >= 1 && options.sessions <= SESSIONS_MAX, 'sessions are 1 to 64');
    this.#options = options;
    this.#indexEnd = options.total ?? Number.POSITIVE_INFINITY;
  }

  get answeredCount(): number {
    return this.#answeredCount;
  }

  start(): void {
    assert(this.#running === undefined, 'a load is started once');
    const workers = Array.from({ length: this.#options.sessions }, () => this.#work());
    this.#running = Promise.all(workers).then(() => {});
    // Whoever waits for `done` hears a failure; nobody has to.
    this.#running.catch(() => {});
  }

  /** Settles when `total` messages are answered or the load was stopped. */
  get done(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  /** Begins no further message, lets those on their way finish within a bound, and accounts. */
  async stop(): Promise<Ledger> {
    this.#stopping.abort();
    const giveUp = setTimeout(() => {
      for (const session of this.#sessions) session.destroy();
    }, STOP_MS_MAX);
    try {
      await this.done;
    } finally {
      clearTimeout(giveUp);
    }
    return {
      answered: this.#answered.items,
      unknown: this.#unknown.items,
      refusedCount: this.#refusedCount,
      forgottenCount: this.#answered.forgottenCount + this.#unknown.forgottenCount,
    };
  }

  /** The outage of an event as these clients saw it; `untilMs` is when the next event came. */
  outage(eventAtMs: number, untilMs?: number): Outage | undefined {
    return findOutage(this.#successesAtMs.items, eventAtMs, untilMs);
  }

  /** One session's life: takes a message, delivers it however often that takes, and so on. */
  async #work(): Promise<void> {
    let session: SmtpSession | undefined;
    try {
      while (!this.#stopping.signal.aborted && this.#nextIndex < this.#indexEnd) {
        const index = this.#nextIndex;
        this.#nextIndex += 1;
        session = await this.#deliver(index, session);
      }
      session?.quit();
    } catch (error) {
      session?.destroy();
      if (!this.#stopping.signal.aborted) throw error;
    } finally {
      if (session !== undefined) this.#sessions.delete(session);
    }
  }

  /** Returns the session that is left to use, which may be another one or none. */
  async #deliver(index: number, usable: SmtpSession | undefined): Promise<SmtpSession | undefined> {
    const message = await this.#options.message(index);
    let session = usable;
    let attempt = 0;
    let stamped = new StampedMessage(this.#idOf(index, attempt), message);
    let failures = 0;
    await this.#pace();
    while (!this.#stopping.signal.aborted) {
      try {
        session ??= await this.#open();
        await session.begin('load@example.com', `reader${index % 7}@example.org`);
        if (await this.#finish(session, stamped)) return session;
        // The server may have the message; what is sent next must be told from it.
        attempt += 1;
        stamped = new StampedMessage(this.#idOf(index, attempt), message);
        failures = 0;
      } catch (error) {
        if (!isFailureOfService(error)) throw error;
        failures += 1;
      }
      if (session !== undefined) this.#drop(session);
      session = undefined;
      await this.#backOff(failures);
    }
    return session;
  }

  /** Sends the message; returns whether it is settled: answered, or refused for good. */
  async #finish(session: SmtpSession, stamped: StampedMessage): Promise<boolean> {
    const { id, digest, bytes } = stamped;
    const reply = await session.finish(bytes).catch((error: unknown) => {
      if (!isFailureOfService(error)) throw error;
      return undefined;
    });
    if (reply?.code === 250) {
      this.#note({ id, digest, bytes: bytes.length, answeredAtMs: reply.atMs });
      return true;
    }
    this.#unknown.push({ id, digest });
    if (reply === undefined || reply.code < 500) return false;
    this.#refusedCount += 1;
    this.#indexEnd += 1;
    return true;
  }

  #idOf(index: number, attempt: number): string {
    return `${this.#options.idPrefix}-${index}-${attempt}`;
  }

  #note(message: AnsweredMessage): void {
    this.#answeredCount += 1;
    this.#answered.push(message);
    this.#successesAtMs.push(message.answeredAtMs);
    this.#options.onAnswered?.(message);
  }

  async #open(): Promise<SmtpSession> {
    const { host, port, connectMsMax = 500, replyMsMax = 3_000 } = this.#options;
    const session = await SmtpSession.open({ host, port, connectMsMax, replyMsMax }, (atMs) =>
      this.#successesAtMs.push(atMs),
    );
    this.#sessions.add(session);
    return session;
  }

  #drop(session: SmtpSession): void {
    session.destroy();
    this.#sessions.delete(session);
  }

  /** Waits for this message's turn; time lost in an outage is not made up for. */
  async #pace(): Promise<void> {
    const { ratePerSecond } = this.#options;
    if (ratePerSecond === undefined) return;
    const nowMs = monotonicMs();
    const slotMs = Math.max(nowMs, this.#nextSlotMs);
    this.#nextSlotMs = slotMs + 1_000 / ratePerSecond;
    await this.#sleep(slotMs - nowMs);
  }

  /** Short after the first failure, longer after each further one in a row. */
  #backOff(failures: number): Promise<void> {
    return this.#sleep(Math.min(BACKOFF_MS_MAX, BACKOFF_STEP_MS * Math.max(1, failures)));
  }

  async #sleep(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    try {
      await delay(ms, undefined, { signal });
    } catch (error) {
      // A stop ends the wait early; the caller looks at the signal itself.
      if (!signal.aborted) throw error;
    }
  }
}

class StampedMessage {
  readonly id: string;
  readonly bytes: Buffer;
  readonly digest: string;

  constructor(id: string, message: Buffer) {
    this.id = id;
    this.bytes = stampMessage(id, message);
    this.digest = createHash('sha256').update(this.bytes).digest('hex');
  }
}

/** Whether an error is one that a service that is away or ailing causes, and not a bug. */
function isFailureOfService(error: unknown): boolean {
  return isMailraftError(error, 'SERVICE_FAILED') || systemCode(error) !== undefined;
}
