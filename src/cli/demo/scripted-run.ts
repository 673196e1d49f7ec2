/**
 * The scripted run: real mail through the shared address while the primary's daemon is
 * killed, then its service, then the service is moved by plan, then the daemon comes
 * back; and at the end the proof of what had been promised.
 *
 * Load and barriers go on from the first message to the last and know nothing of the
 * events. Every step waits for a condition, all within one bound.
 */

import { assert, isMailraftError, MailraftError, messageOf } from '../../errors.ts';
import { areInSync, standingOf } from './cluster-sync.ts';
import { MailCorpus } from './corpus.ts';
import { DemoCluster } from './demo-cluster.ts';
import { DEMO_HOST } from './demo-layout.ts';
import { signalProcess } from './demo-processes.ts';
import { judgedRun, type ScriptEvent } from './judged-run.ts';
import type { Absence } from './lag-watch.ts';
import { seconds, type TakeNote } from './run-notes.ts';
import type { RunResult, UnfinishedRun } from './run-result.ts';
import { RunWitnesses } from './run-witnesses.ts';
import { monotonicMs } from './smtp-session.ts';
import type { KillRecord } from './verdict.ts';
import { Waiting } from './waiting.ts';

export interface ScriptOptions {
  /** Of the messages. */
  readonly seed: number;
  /** Leaves the folder of the demo in place. */
  readonly keep: boolean;
  /** Ends the run early; its reason is a MailraftError. */
  readonly signal: AbortSignal;
  readonly note: TakeNote;
  /** Answered between one event and the next. @default 250 */
  readonly messagesPerStage?: number;
  /** The proof wants so many. @default 500 */
  readonly messagesMin?: number;
  /** What runs as a daemon; without it, mailraft itself. */
  readonly program?: string;
}

/** Where a test may lay hands on a run. */
export interface RunHooks {
  /** The load flows and nothing was killed yet. */
  readonly during?: (cluster: DemoCluster) => Promise<void>;
  /** All nodes are in sync, and nothing of the proof was gathered yet. */
  readonly beforeProof?: (cluster: DemoCluster) => Promise<void>;
}

/** Leaves time for the end: the whole run is to take less than 90 s. */
const WAIT_MS_MAX = 75_000;
const BOOT_MS_MAX = 30_000;
const SETTLE_MS_MAX = 25_000;
const SWITCHOVER_S_MAX = 20;
const RATE_PER_SECOND = 40;
const MESSAGES_PER_STAGE = 250;
const MESSAGES_MIN = 500;
/** So many answers show that the service is back. */
const MESSAGES_BACK = 10;
const TAIL_LINES = 12;

export async function scriptedRun(
  options: ScriptOptions,
  hooks: RunHooks = {},
): Promise<RunResult> {
  const corpus = await MailCorpus.open(options.seed);
  const { program, keep } = options;
  const cluster = await DemoCluster.create(program === undefined ? {} : { program });
  const witnesses = new RunWitnesses(cluster, corpus, RATE_PER_SECOND);
  try {
    const script = new Script(options, cluster, witnesses);
    script.tell('corpus', corpusText(corpus), { testMails: corpus.testMailCount });
    const run = await script.play(hooks);
    const { killed } = await cluster.close(keep);
    const left = killed.map(
      ({ pid, commandLine }) => `process ${pid} did not end with its daemon: ${commandLine}`,
    );
    return { ...run, complaints: [...run.complaints, ...left], tookMs: script.elapsedMs };
  } catch (error) {
    if (!isMailraftError(error)) throw error;
    return await unfinished(error, cluster);
  } finally {
    await witnesses.stop();
    await cluster.close(keep);
  }
}

class Script {
  readonly #options: ScriptOptions;
  readonly #cluster: DemoCluster;
  readonly #witnesses: RunWitnesses;
  readonly #waiting: Waiting;
  readonly #beganAtMs: number = monotonicMs();
  readonly #events: ScriptEvent[] = [];
  readonly #switchovers: { atMs: number }[] = [];
  readonly #absences: Absence[] = [];
  readonly #complaints: string[] = [];

  constructor(options: ScriptOptions, cluster: DemoCluster, witnesses: RunWitnesses) {
    this.#options = options;
    this.#cluster = cluster;
    this.#witnesses = witnesses;
    this.#waiting = new Waiting({ msMax: WAIT_MS_MAX, signal: options.signal });
  }

  get elapsedMs(): number {
    return monotonicMs() - this.#beganAtMs;
  }

  async play(hooks: RunHooks): ReturnType<typeof judgedRun> {
    await this.#boot();
    await this.#beginLoad();
    await hooks.during?.(this.#cluster);
    const killed = await this.#killDaemon();
    await this.#killService();
    await this.#switchOver();
    await this.#restart(killed.node, killed.atMs);
    await this.#settle();
    await hooks.beforeProof?.(this.#cluster);
    return judgedRun(this.#cluster, this.#witnesses, {
      beganAtMs: this.#beganAtMs,
      events: this.#events,
      switchovers: this.#switchovers,
      absences: this.#absences,
      complaints: this.#complaints,
      messagesMin: this.#options.messagesMin ?? MESSAGES_MIN,
    });
  }

  tell(event: string, text: string, data: Readonly<Record<string, unknown>> = {}): void {
    this.#options.note({ atS: Number(seconds(this.elapsedMs, 3)), event, text, data });
  }

  async #boot(): Promise<void> {
    for (const id of this.#cluster.ids) this.#cluster.start(id);
    const { folder } = this.#cluster.layout;
    this.tell('start', `three nodes start in ${folder}`, { folder });
    const primary = await this.#untilServing('a node to serve', () => true, BOOT_MS_MAX);
    this.tell('serving', `${primary} serves`, { node: primary });
    await this.#untilInSync(BOOT_MS_MAX);
    await this.#until(
      'the mail folders on every node',
      () => this.#witnesses.canBegin || undefined,
    );
    this.tell('synced', 'all three have the same files');
  }

  async #beginLoad(): Promise<void> {
    await this.#witnesses.begin();
    const address = `${DEMO_HOST}:${this.#cluster.layout.smtpPort}`;
    const text = `${RATE_PER_SECOND} messages a second to ${address}, barriers back to back`;
    this.tell('load', text, { ratePerSecond: RATE_PER_SECOND, address });
    await this.#answerMore(this.#stage);
  }

  async #killDaemon(): Promise<KillRecord> {
    const node = await this.#untilServing('a primary to kill', () => true);
    const kill = this.#record(`kill -9 of the daemon of ${node}`, { what: 'daemon', node });
    const pid = await this.#cluster.killDaemon(node);
    this.tell('kill', `kill -9 of the daemon of ${node} (pid ${pid})`, { ...kill, pid });
    const next = await this.#untilServing('another node to serve', (id) => id !== node);
    await this.#untilBack(`${next} serves`, kill.atMs, next);
    return kill;
  }

  async #killService(): Promise<void> {
    const { node, pid } = await this.#until('a service to kill', () => this.#cluster.services()[0]);
    const kill = this.#record(`kill -9 of the service of ${node}`, { what: 'service', node });
    signalProcess(pid, 'SIGKILL');
    this.tell('kill', `kill -9 of the service of ${node} (pid ${pid})`, { ...kill, pid });
    await this.#until('a service to run again', () =>
      this.#cluster.services().find((service) => service.pid !== pid),
    );
    const next = await this.#untilServing('a node to serve', () => true);
    await this.#untilBack(`${next} serves`, kill.atMs, next);
  }

  async #switchOver(): Promise<void> {
    const from = await this.#untilServing('a primary to move from', () => true);
    const atMs = monotonicMs();
    this.#events.push({ what: `planned move away from ${from}`, atMs, kill: undefined });
    this.#switchovers.push({ atMs });
    this.tell('switchover', `planned move away from ${from}`, { node: from });
    const answer = await this.#cluster.client(from).operate('/v1/switchover', SWITCHOVER_S_MAX);
    if (answer?.status !== 200) {
      const said = answer === undefined ? 'nothing' : JSON.stringify(answer.body);
      throw new MailraftError('SERVICE_FAILED', `asked for a switchover, ${from} answered ${said}`);
    }
    const to = await this.#untilServing('another node to serve', (id) => id !== from);
    await this.#untilBack(`${to} serves`, atMs, to);
  }

  async #restart(node: string, deadSinceMs: number): Promise<void> {
    const atMs = monotonicMs();
    this.#events.push({ what: `start of ${node}`, atMs, kill: undefined });
    const pid = this.#cluster.start(node);
    this.tell('start', `${node} starts again (pid ${pid})`, { node, pid });
    const goal = Math.max(...(await this.#cluster.statuses()).map(({ raft }) => raft.commitIndex));
    await this.#until(`${node} to be a secondary in step`, async () => {
      const status = await this.#cluster.status(node);
      const isInStep = status?.role === 'secondary' && status.raft.appliedIndex >= goal;
      const isWhole = status?.volumes.every(({ missing }) => missing === 0);
      return isInStep && isWhole ? status : undefined;
    });
    this.#absences.push({ node, fromMs: deadSinceMs, toMs: monotonicMs() });
    this.tell('rejoined', `${node} is a secondary again`, { node });
    await this.#answerMore(this.#stage);
  }

  /** Ends the load, then waits until nothing is on its way. */
  async #settle(): Promise<void> {
    await this.#witnesses.stopLoad();
    const endedAtMs = monotonicMs();
    const answered = this.#witnesses.load.answeredCount;
    this.tell('loadEnded', `the load ends with ${answered} messages answered`, { answered });
    const { barriers } = this.#witnesses;
    await this.#until('a last barrier', () => barriers.hasCovered(endedAtMs) || undefined);
    await barriers.stop();
    try {
      await this.#untilInSync(SETTLE_MS_MAX);
      this.tell('synced', 'all three have the same files');
    } catch (error) {
      // The proof says what it is that differs.
      if (!isMailraftError(error, 'TIMED_OUT')) throw error;
      const standings = (await this.#cluster.statuses()).map(standingOf);
      this.#complaints.push([messageOf(error), ...standings].join('\n'));
    }
  }

  get #stage(): number {
    return this.#options.messagesPerStage ?? MESSAGES_PER_STAGE;
  }

  #record(what: string, killed: { what: string; node: string }): KillRecord {
    const kill = { atMs: monotonicMs(), ...killed };
    this.#events.push({ what, atMs: kill.atMs, kill });
    return kill;
  }

  /** After an event: the first answers tell the outage, then the load flows for a while. */
  async #untilBack(text: string, eventAtMs: number, node: string): Promise<void> {
    await this.#answerMore(MESSAGES_BACK);
    const outageMs = this.#witnesses.load.outage(eventAtMs)?.gapMs;
    assert(outageMs !== undefined, 'answers after an event end its outage');
    const told = `${text}; clients waited ${seconds(outageMs, 2)} s`;
    this.tell('serving', told, { node, outageMs: Math.round(outageMs) });
    await this.#answerMore(this.#stage);
  }

  async #answerMore(count: number): Promise<void> {
    const { load } = this.#witnesses;
    const goal = load.answeredCount + count;
    await this.#until(`${count} more messages to be answered`, () =>
      load.answeredCount >= goal ? true : undefined,
    );
  }

  async #untilServing(
    what: string,
    isWanted: (id: string) => boolean,
    withinMs?: number,
  ): Promise<string> {
    const look = async (): Promise<string | undefined> => {
      const primary = await this.#cluster.primary();
      return primary !== undefined && isWanted(primary) ? primary : undefined;
    };
    const primary = await this.#until(what, look, withinMs);
    this.#witnesses.barriers.prefer(primary);
    return primary;
  }

  async #untilInSync(withinMs: number): Promise<void> {
    const { ids } = this.#cluster;
    const look = async (): Promise<true | undefined> => {
      const statuses = await this.#cluster.statuses();
      return statuses.length === ids.length && areInSync(statuses) ? true : undefined;
    };
    await this.#until(`${ids.join(', ')} to have the same files`, look, withinMs);
  }

  #until<T>(
    what: string,
    look: () => T | undefined | Promise<T | undefined>,
    withinMs?: number,
  ): Promise<T> {
    const watch = (): T | undefined | Promise<T | undefined> => {
      if (this.#cluster.failure !== undefined) throw this.#cluster.failure;
      return look();
    };
    return this.#waiting.until(what, watch, withinMs);
  }
}

async function unfinished(error: MailraftError, cluster: DemoCluster): Promise<UnfinishedRun> {
  return {
    kind: 'unfinished',
    reason: messageOf(error),
    standings: (await cluster.statuses()).map(standingOf),
    logTails: await cluster.logTails(TAIL_LINES),
  };
}

function corpusText({ testMailCount }: MailCorpus): string {
  const suite = testMailCount === 0 ? '' : ` and the ${testMailCount} e-mails of a test suite`;
  return `mail is made of the installed packages' files${suite}`;
}
