/**
 * The guardian as the daemon knows it: passes orders on, believes only what was
 * answered, and ends the tenure itself when the guardian does not answer.
 *
 * A guardian that is lost is never assumed to have let go: the client kills it and
 * its service, and goes on saying that both are held until it has seen them gone, and
 * of addresses until the next guardian has said so (safety rule 7).
 */

import { MailraftError, messageOf } from '../../errors.ts';
import { bootTimeMs } from '../../platform/linux/clock.ts';
import { isAlive, type ProcessIdentity, signalProcess } from '../../platform/linux/processes.ts';
import type { GuardianFacts } from '../decide/situation.ts';
import { type Deadlines, fenceLeadMs } from '../tenure/deadlines.ts';
import { factsOf } from './client-facts.ts';
import { GuardianLink } from './link.ts';
import { readService } from './records.ts';
import type { AddressReport, GuardianReport, GuardianSettings, LogLevel, Order } from './words.ts';

export interface ClientEvents {
  /** A fact may have changed. */
  onReport(): void;
  onLog(level: LogLevel, text: string): void;
  onLost(reason: string): void;
}

/** Between two looks at what the guardian owes. */
const WATCH_MS = 50;

/**
 * An answer takes a millisecond; on a small machine under load a process may still get
 * no processor for some hundred. Waiting longer costs nothing of safety: the service is
 * killed from here at the latest when the last answered deadlines say so.
 */
const ANSWER_MS_MIN = 400;

/** Between two attempts to start a guardian. */
const RETRY_MS = 1000;

/** What a closing guardian may need beyond the end of its tenure. */
const CLOSE_MS = 1000;

/** A guardian that was given up, until another has taken its place. */
interface Loss {
  readonly reason: string;
  readonly report: GuardianReport;
  readonly wasServePending: boolean;
  isServiceGone: boolean;
  isReplacing: boolean;
  retryAtMs: number;
}

export class GuardianClient {
  readonly #settings: GuardianSettings;
  readonly #events: ClientEvents;
  readonly #program: URL;
  #link: GuardianLink | undefined;
  #loss: Loss | undefined;
  #earlierCrashes = 0;
  #earlierAnnouncements = 0;
  #isClosing = false;
  readonly #watch: NodeJS.Timeout;

  /**
   * Starts a guardian; resolves when it is ready and nothing of an earlier run is left.
   *
   * @throws `REFUSED` when another daemon uses the data directory
   */
  static async start(
    settings: GuardianSettings,
    events: ClientEvents,
    program: URL = new URL('./main.js', import.meta.url),
  ): Promise<GuardianClient> {
    const client = new GuardianClient(settings, events, program);
    try {
      client.#link = await client.#open();
    } catch (error) {
      clearInterval(client.#watch);
      throw error;
    }
    return client;
  }

  private constructor(settings: GuardianSettings, events: ClientEvents, program: URL) {
    this.#settings = settings;
    this.#events = events;
    this.#program = program;
    this.#watch = setInterval(() => this.#look(), WATCH_MS);
  }

  get isConnected(): boolean {
    return this.#loss === undefined;
  }

  /** How the tenure is enforced, for people. */
  get protection(): string {
    return this.#current.protection;
  }

  get pid(): number | undefined {
    return this.#current.pid;
  }

  get service(): GuardianReport['service'] {
    const { service } = this.#report;
    return { ...service, crashes: this.#earlierCrashes + service.crashes };
  }

  get addresses(): readonly AddressReport[] {
    return this.#report.addresses;
  }

  get announcements(): number {
    return this.#earlierAnnouncements + this.#report.announcements;
  }

  /** The times that the guardian said it armed. */
  get deadlines(): Deadlines | undefined {
    return this.#report.deadlines;
  }

  facts(epoch: number): GuardianFacts {
    const loss = this.#loss;
    return factsOf(epoch, {
      report: this.#report,
      isServePending: loss?.wasServePending ?? this.#current.isServePending,
      isLost: loss !== undefined,
      isServiceGone: loss?.isServiceGone ?? false,
      earlierCrashes: this.#earlierCrashes,
    });
  }

  serve(epoch: number, deadlines: Deadlines): void {
    this.#send({ kind: 'serve', epoch, deadlines });
  }

  restart(epoch: number, deadlines: Deadlines): void {
    this.#send({ kind: 'restart', epoch, deadlines });
  }

  stop(epoch: number, deadlines: Deadlines): void {
    this.#send({ kind: 'stop', epoch, deadlines });
  }

  fence(epoch: number): void {
    this.#send({ kind: 'fence', epoch });
  }

  /** Ends the tenure, if there is one, and the guardian. */
  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    clearInterval(this.#watch);
    const link = this.#current;
    link.close();
    if (this.#loss !== undefined) this.#endProcesses(this.#loss);
    const tooLong = setTimeout(() => link.kill(), fenceLeadMs(this.#settings.ending) + CLOSE_MS);
    await link.exited;
    clearTimeout(tooLong);
  }

  get #current(): GuardianLink {
    if (this.#link === undefined) {
      throw new MailraftError('INVARIANT', 'the guardian was used before it was started');
    }
    return this.#link;
  }

  get #report(): GuardianReport {
    return this.#loss?.report ?? this.#current.report;
  }

  #open(): Promise<GuardianLink> {
    return GuardianLink.open(this.#program, this.#settings, {
      onReport: () => this.#events.onReport(),
      onLog: (level, text) => this.#events.onLog(level, text),
      onGone: (reason) => this.#lose(reason),
    });
  }

  #send(order: Order): void {
    // Without a guardian everything is being ended already.
    if (this.#loss === undefined && !this.#isClosing) this.#current.send(order);
  }

  #look(): void {
    if (this.#loss !== undefined) {
      this.#attend(this.#loss);
      return;
    }
    if (this.#link === undefined) return;
    const isOverdue = this.#killOverdue(this.#link);
    const { renewEveryMs } = this.#settings;
    const patienceMs = isOverdue ? WATCH_MS : Math.max(renewEveryMs, ANSWER_MS_MIN);
    if (this.#link.unansweredMs <= patienceMs) return;
    const link = this.#link;
    // If this process slept itself, the answer waits to be read: that comes first.
    setImmediate(() => {
      if (link !== this.#link || link.unansweredMs <= patienceMs) return;
      this.#lose(`the guardian did not answer for ${patienceMs} ms`);
    });
  }

  /** When the time to kill has passed two see to it (safety rule 7). */
  #killOverdue({ report }: GuardianLink): boolean {
    const { deadlines, processes } = report;
    if (deadlines === undefined || bootTimeMs() < deadlines.killAtMs) return false;
    for (const process of processes) signalProcess(process, 'SIGKILL');
    return true;
  }

  #lose(reason: string): void {
    if (this.#loss !== undefined || this.#isClosing) return;
    const link = this.#current;
    const loss: Loss = {
      reason,
      report: link.report,
      wasServePending: link.isServePending,
      isServiceGone: false,
      isReplacing: false,
      retryAtMs: 0,
    };
    this.#loss = loss;
    this.#endProcesses(loss);
    link.kill();
    this.#events.onLog('error', reason);
    this.#events.onLost(reason);
    this.#events.onReport();
  }

  /** Kills what is left of the service; true when there was nothing. */
  #endProcesses({ report }: Loss): boolean {
    // What it wrote down may be younger than its last report.
    const known: readonly ProcessIdentity[] = [
      ...report.processes,
      ...readService(this.#settings.dataDir),
    ];
    const living = known.filter(isAlive);
    for (const process of living) signalProcess(process, 'SIGKILL');
    return living.length === 0;
  }

  /** Sees what the lost guardian held to its end, then puts another in its place. */
  #attend(loss: Loss): void {
    if (!loss.isServiceGone) {
      if (!this.#endProcesses(loss) || !this.#current.isExited) return;
      // It may have written a last line before it ended.
      if (!this.#endProcesses(loss)) return;
      loss.isServiceGone = true;
      this.#events.onReport();
    }
    if (!loss.isReplacing && bootTimeMs() >= loss.retryAtMs) void this.#replace(loss);
  }

  async #replace(loss: Loss): Promise<void> {
    loss.isReplacing = true;
    try {
      const link = await this.#open();
      if (this.#isClosing) {
        link.close();
        return;
      }
      this.#earlierCrashes += loss.report.service.crashes;
      this.#earlierAnnouncements += loss.report.announcements;
      this.#link = link;
      this.#loss = undefined;
      this.#events.onLog('info', 'another guardian took the place of the lost one');
      this.#events.onReport();
    } catch (error) {
      loss.retryAtMs = bootTimeMs() + RETRY_MS;
      this.#events.onLog('error', `no other guardian can be started: ${messageOf(error)}`);
    } finally {
      loss.isReplacing = false;
    }
  }
}
