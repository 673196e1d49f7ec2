/**
 * A cluster to play with: it runs under a gentle load until a person ends it, and keys
 * kill, start and move what runs. Without a terminal it runs until it is told to stop.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { isMailraftError, MailraftError, messageOf, systemCode } from '../../errors.ts';
import { problemOf } from '../problem.ts';
import { MailCorpus } from './corpus.ts';
import { DemoCluster } from './demo-cluster.ts';
import { DEMO_HOST } from './demo-layout.ts';
import { signalProcess } from './demo-processes.ts';
import { seconds, type TakeNote } from './run-notes.ts';
import { sendMail } from './send-mail.ts';
import { SmtpLoad } from './smtp-load.ts';
import { monotonicMs } from './smtp-session.ts';
import { StatusLine } from './status-line.ts';
import { Waiting } from './waiting.ts';

export interface InteractiveOptions {
  readonly seed: number;
  readonly json: boolean;
  readonly keep: boolean;
  /** Ends the run. */
  readonly signal: AbortSignal;
  readonly note: TakeNote;
  /** What runs as a daemon; without it, mailraft itself. */
  readonly program?: string;
}

const LOAD_PER_SECOND = 2;
const SWITCHOVER_S_MAX = 20;
const STATUS_EVERY_MS = 1_000;
const SERVICE_MS_MAX = 20_000;
/** Of a time of day with its seconds. */
const TIME_LENGTH = 8;
const KEYS: readonly string[] = [
  '  keys  1 2 3  kill -9 the daemon of that node, or start it',
  '        k      kill -9 the service       s  planned move',
  '        m      send a mail               q  quit',
];
const CTRL_C = '\u0003';

export async function interactiveRun(options: InteractiveOptions): Promise<number> {
  const corpus = await MailCorpus.open(options.seed);
  const { program, keep } = options;
  const cluster = await DemoCluster.create(program === undefined ? {} : { program });
  const load = new SmtpLoad({
    ...{ host: DEMO_HOST, port: cluster.layout.smtpPort, sessions: 2, idPrefix: 'demo' },
    message: (index) => corpus.message(index),
    ratePerSecond: LOAD_PER_SECOND,
  });
  try {
    return await new Interactive(options, cluster, load).run();
  } finally {
    await load.stop();
    await cluster.close(keep);
  }
}

class Interactive {
  readonly #options: InteractiveOptions;
  readonly #cluster: DemoCluster;
  readonly #load: SmtpLoad;
  readonly #status: StatusLine;
  readonly #quit: AbortController = new AbortController();
  readonly #beganAtMs: number = monotonicMs();
  #primary: string | undefined;
  #isFailureTold = false;
  #bug: unknown;

  constructor(options: InteractiveOptions, cluster: DemoCluster, load: SmtpLoad) {
    this.#options = options;
    this.#cluster = cluster;
    this.#load = load;
    const isLive = process.stdout.isTTY && !options.json;
    this.#status = new StatusLine(isLive ? process.stdout : undefined);
  }

  async run(): Promise<number> {
    for (const id of this.#cluster.ids) this.#cluster.start(id);
    this.#introduce();
    this.#load.start();
    const restoreKeys = this.#listenToKeys();
    try {
      while (!this.#isOver) {
        this.#tellFailure();
        await this.#showStatus();
        await this.#pause();
      }
    } finally {
      restoreKeys();
      this.#tell('end', 'ending what was started');
    }
    if (this.#bug !== undefined) throw this.#bug;
    return 0;
  }

  /** Aborted when the run is to end, for whatever reason. */
  get #signal(): AbortSignal {
    return AbortSignal.any([this.#options.signal, this.#quit.signal]);
  }

  get #isOver(): boolean {
    return this.#signal.aborted;
  }

  #introduce(): void {
    const { layout, clients } = this.#cluster;
    const [smtp, pop3] = [`${DEMO_HOST}:${layout.smtpPort}`, `${DEMO_HOST}:${layout.pop3Port}`];
    const { folder } = layout;
    this.#tell('start', `three nodes start in ${folder}`, {
      ...{ folder, smtp, pop3 },
      http: Object.fromEntries(clients.map(({ id, url }) => [id, url])),
    });
    if (this.#options.json) return;
    const lines = [
      '',
      ...clients.map(({ id, url }) => `  ${id}    ${url}/`),
      `  SMTP  ${smtp}   the shared address: whoever is primary answers`,
      `  POP3  ${pop3}   any user, any password`,
      '',
      `  send  echo 'Subject: hello' | curl -sS smtp://${smtp} \\`,
      '          --mail-from you@example.com --mail-rcpt reader@example.org -T -',
      `  list  curl -sS -u me:me pop3://${pop3}/`,
      `  read  curl -sS -u me:me pop3://${pop3}/1`,
      '',
      ...(process.stdin.isTTY ? KEYS : ['  end   SIGINT or SIGTERM']),
      '',
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  }

  /** Keys act at once, without Enter; returns what gives the terminal back. */
  #listenToKeys(): () => void {
    const { stdin } = process;
    if (!stdin.isTTY) return () => {};
    const onData = (chunk: Buffer): void => {
      for (const key of chunk.toString('latin1')) void this.#press(key);
    };
    stdin.setRawMode(true);
    stdin.on('data', onData);
    stdin.resume();
    return () => {
      stdin.off('data', onData);
      stdin.setRawMode(false);
      stdin.pause();
    };
  }

  async #press(key: string): Promise<void> {
    try {
      await this.#act(key);
    } catch (error) {
      // What the end has cut short has not failed.
      if (this.#isOver) return;
      const isOfService = isMailraftError(error) || systemCode(error) !== undefined;
      if (isOfService) this.#tell('failed', messageOf(error));
      else this.#fail(error);
    }
  }

  async #act(key: string): Promise<void> {
    const id = this.#cluster.ids[Number(key) - 1];
    if (id !== undefined) await this.#toggle(id);
    else if (key === 's') await this.#switchOver();
    else if (key === 'k') await this.#killService();
    else if (key === 'm') await this.#sendMail();
    else if (key === 'q' || key === CTRL_C) this.#quit.abort();
  }

  async #toggle(id: string): Promise<void> {
    if (this.#cluster.isUp(id)) {
      const pid = await this.#cluster.killDaemon(id);
      this.#tell('kill', `kill -9 of the daemon of ${id} (pid ${pid})`, { node: id, pid });
    } else {
      const pid = this.#cluster.start(id);
      this.#tell('start', `${id} starts again (pid ${pid})`, { node: id, pid });
    }
  }

  async #switchOver(): Promise<void> {
    const from = await this.#cluster.primary();
    if (from === undefined) {
      this.#tell('switchover', 'nobody serves that could be moved');
      return;
    }
    this.#tell('switchover', `planned move away from ${from}`, { node: from });
    const path = '/v1/switchover';
    const answer = await this.#cluster.client(from).operate(path, SWITCHOVER_S_MAX);
    if (answer === undefined) throw new MailraftError('TIMED_OUT', `${from} does not answer`);
    const { status, body } = answer;
    if (status !== 200) throw problemOf(status, body, path);
    this.#tell('switchover', 'the move is done', { answer: body });
  }

  async #killService(): Promise<void> {
    const [service] = this.#cluster.services();
    if (service === undefined) {
      this.#tell('kill', 'no service runs');
      return;
    }
    const { node, pid } = service;
    signalProcess(pid, 'SIGKILL');
    this.#tell('kill', `kill -9 of the service of ${node} (pid ${pid})`, { node, pid });
    const killedAtMs = monotonicMs();
    const waiting = new Waiting({ msMax: SERVICE_MS_MAX, signal: this.#signal });
    const next = await waiting.until('a service to run again', () =>
      this.#cluster.services().find((other) => other.pid !== pid),
    );
    const after = seconds(monotonicMs() - killedAtMs, 2);
    const text = `a service runs on ${next.node} (pid ${next.pid}) after ${after} s`;
    this.#tell('service', text, { node: next.node, pid: next.pid });
  }

  async #sendMail(): Promise<void> {
    const subject = `hello at ${new Date().toTimeString().slice(0, TIME_LENGTH)}`;
    const answer = await sendMail(DEMO_HOST, this.#cluster.layout.smtpPort, subject);
    this.#tell('mail', `sent "${subject}": ${answer}`, { subject, answer });
  }

  async #showStatus(): Promise<void> {
    const primary = await this.#cluster.primary();
    const roles = await Promise.all(
      this.#cluster.ids.map(async (id) => {
        if (!this.#cluster.isUp(id)) return `${id} down`;
        const status = await this.#cluster.status(id);
        return `${id} ${status?.role ?? 'silent'}`;
      }),
    );
    const answered = `${this.#load.answeredCount.toLocaleString('en-US')} mails answered`;
    if (primary !== this.#primary) {
      this.#primary = primary;
      this.#tell('serving', `${primary ?? 'nobody'} serves`, { node: primary ?? null });
    }
    this.#status.show([...roles, answered].join('   '));
  }

  /** A daemon that ended by itself is worth a word, once. */
  #tellFailure(): void {
    const { failure } = this.#cluster;
    if (failure === undefined || this.#isFailureTold) return;
    this.#isFailureTold = true;
    this.#tell('failed', messageOf(failure));
  }

  async #pause(): Promise<void> {
    const signal = this.#signal;
    try {
      await delay(STATUS_EVERY_MS, undefined, { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #fail(error: unknown): void {
    this.#bug ??= error;
    this.#quit.abort();
  }

  #tell(event: string, text: string, data: Readonly<Record<string, unknown>> = {}): void {
    this.#status.clear();
    const atS = Number(seconds(monotonicMs() - this.#beganAtMs, 3));
    this.#options.note({ atS, event, text, data });
  }
}
