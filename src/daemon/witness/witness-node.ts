/**
 * A node that is the witness: transport, HTTP, and its member once the cluster is founded.
 * No guardian, no service, no volumes (safety rule 23).
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../config/config.ts';
import { renewIntervalMs } from '../../config/timings.ts';
import { HttpServer } from '../../net/http/http-server.ts';
import { NodeMetrics } from '../../net/http/metrics.ts';
import { readOrMakeToken } from '../../net/http/token-file.ts';
import type { RpcHandler } from '../../net/transport/rpc.ts';
import type { Transport } from '../../net/transport/transport.ts';
import { bootTimeMs } from '../../platform/linux/clock.ts';
import type { Logger } from '../../platform/log.ts';
import { productVersion } from '../../platform/version.ts';
import { NO_DATA } from '../cluster-report.ts';
import { Founding } from '../founding.ts';
import { IdentityStore } from '../identity.ts';
import { knowledgeOf } from '../knowledge.ts';
import { LoopDelay } from '../loop-delay.ts';
import { absenceOf } from '../members/absence.ts';
import { introduce } from '../members/introduction.ts';
import { Roster } from '../members/roster.ts';
import { SeenStates } from '../members/seen-states.ts';
import { NodeLog } from '../node-log.ts';
import { freshCounts, type NodeCounts } from '../node-parts.ts';
import { endpointsOf, makeTransport } from '../node-transport.ts';
import { type Brief, PeerWatch } from '../peer-watch.ts';
import type { RunningNode } from '../start-node.ts';
import { type OpenWitness, openWitness } from './open-witness.ts';
import { type WitnessParts, witnessMetrics } from './witness-report.ts';
import { WitnessService } from './witness-service.ts';

const CLOSE_MS_MAX = 10_000;

export class WitnessNode implements RunningNode, WitnessParts {
  readonly config: Config;
  readonly version: string = productVersion();
  readonly counts: NodeCounts = freshCounts();
  readonly roster: Roster;
  readonly transport: Transport;
  readonly peers: PeerWatch;
  readonly failed: Promise<Error>;
  readonly #log: Logger;
  readonly #nodeLog: NodeLog;
  readonly #identity: IdentityStore;
  readonly #founding: Founding;
  readonly #metrics: NodeMetrics;
  readonly #http: HttpServer;
  readonly #service: WitnessService;
  readonly #loopDelay: LoopDelay;
  readonly #seen = new SeenStates();
  #opening: Promise<void> | undefined;
  #isClosing = false;
  running: OpenWitness | undefined;
  failure: Error | undefined;
  #reportFailure: (error: Error) => void = () => undefined;

  constructor(config: Config, log: Logger) {
    this.config = config;
    this.#log = log;
    this.failed = new Promise((resolve) => {
      this.#reportFailure = resolve;
    });
    const { cluster, node } = config;
    this.#identity = new IdentityStore(node.dataDir, { cluster, id: node.id });
    this.roster = new Roster(config, () => this.transport.setPeers(endpointsOf(this.roster)));
    this.#metrics = new NodeMetrics(() => witnessMetrics(this));
    this.#service = new WitnessService(this);
    this.#http = new HttpServer({
      listen: config.http.listen,
      token: readOrMakeToken(config.http.tokenFile),
      node: this.#service,
      metrics: this.#metrics,
    });
    this.#nodeLog = new NodeLog({
      log,
      metrics: this.#metrics,
      counts: this.counts,
      publish: (event) => this.#http.publish(event),
    });
    // It is never the origin, so there is nothing that could be forced.
    this.#founding = new Founding({ config, identity: this.#identity, log }, false, {
      ask: (peer, method, params) => this.transport.ask(peer, method, params),
      refusalBy: (peer) => this.transport.refusalBy(peer),
      isListed: (id, incarnation) => this.roster.isListed(id, incarnation),
      onFounded: () => this.#openMember(),
    });
    this.transport = this.#makeTransport();
    this.peers = this.#watchPeers();
    this.#loopDelay = new LoopDelay((seconds) => {
      this.counts.eventLoopLagSeconds = seconds;
    });
  }

  get absence(): string | undefined {
    return absenceOf({
      ...this.#identity.current,
      roster: this.roster,
      foundingProblem: this.#founding.problem,
      refusals: this.roster.others.flatMap(({ id }) => this.transport.refusalBy(id) ?? []),
      knowsLeader: (this.running?.member.host.standing.leader ?? '') !== '',
    });
  }

  nowMs(): number {
    return bootTimeMs();
  }

  async start(): Promise<void> {
    await this.transport.start();
    await this.#http.start();
    this.#log.info({ http: this.#http.port, peers: this.transport.port }, 'listening');
    if (this.#identity.isFounded) this.#openMember();
    this.#founding.start();
    await this.#opening;
  }

  async stop(): Promise<void> {
    await this.#opening;
    await this.#close();
  }

  /** Gives up a start that failed. */
  async abandon(): Promise<void> {
    await this.#close();
  }

  #fail(error: Error): void {
    if (this.#isClosing || this.failure !== undefined) return;
    this.failure = error;
    const closed = Promise.race([this.#close(), delay(CLOSE_MS_MAX)]);
    void closed.catch(() => undefined).then(() => this.#reportFailure(error));
  }

  async #close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#loopDelay.close();
    this.#founding.close();
    this.peers.close();
    this.running?.member.close();
    if (this.failure === undefined) await this.running?.journal.close();
    await this.transport.close();
    await this.#http.close();
  }

  /** The cluster is founded: this node is a member of it. */
  #openMember(): void {
    if (this.#opening !== undefined) return;
    this.#opening = this.#open().catch((error: Error) => this.#fail(error));
  }

  async #open(): Promise<void> {
    this.running = await openWitness({
      config: this.config,
      log: this.#log,
      identity: this.#identity,
      transport: this.transport,
      onMembership: (membership) => this.roster.adopt(membership),
      onSync: (ms) => this.#metrics.observeFsync(ms / 1000),
      onMemberEvent: (event) => this.#nodeLog.member(event),
      onFailed: (error) => this.#fail(error),
    });
    if (this.#identity.current.fault !== '') this.running.member.host.bar();
    this.roster.adopt(this.running.member.host.membership);
  }

  get #brief(): Brief {
    const { running } = this;
    const { applied = 0 } = running?.member.host.status ?? {};
    const nothing = { term: 0, vote: '', commit: 0 };
    const { term, vote, commit } = running?.journal.syncedHardState ?? nothing;
    return {
      node: this.config.node.id,
      incarnation: this.#identity.current.incarnation,
      term,
      vote,
      commit,
      isBarred: this.#identity.current.fault !== '',
      mode: 'witness',
      phase: 'witness',
      serves: false,
      epoch: 0,
      canServe: false,
      obstacle: NO_DATA,
      applied,
      // No entry is held back for it: it takes the mark of what is committed.
      neededFrom: applied + 1,
      missing: 0,
      fetchedBytes: 0,
      salvageFiles: 0,
      ...knowledgeOf(running?.member.host),
    };
  }

  #watchPeers(): PeerWatch {
    return new PeerWatch(
      {
        peers: () => this.roster.others.map(({ id }) => id),
        ask: (peer) => this.transport.ask(peer, 'peer.brief', {}),
        nowMs: bootTimeMs,
        onBrief: (brief) => this.#seen.note(brief.incarnation, brief),
      },
      renewIntervalMs(this.config.timing),
    );
  }

  #makeTransport(): Transport {
    return makeTransport(
      {
        config: this.config,
        identity: this.#identity,
        roster: this.roster,
        seen: this.#seen,
        handlers: this.#handlers(),
        running: () => this.running,
      },
      {
        onMessages: (messages) => this.running?.member.receive(messages),
        onUnreachable: (peer) => this.running?.member.reportUnreachable(peer),
        onLink: (peer, channel, text) => this.#nodeLog.link(peer, channel, text),
        onRolledBack: (reason) => this.#rollBackFound(reason),
      },
    );
  }

  #handlers(): ReadonlyMap<string, RpcHandler> {
    const introduction = () =>
      introduce(this.#identity.current, this.running?.journal, {
        isWitness: true,
        fault: this.#identity.current.fault,
      });
    return new Map<string, RpcHandler>([
      ['found.ask', () => this.#founding.answerAsk()],
      ['found.join', (params) => this.#founding.answerJoin(params)],
      ['member.introduce', introduction],
      ['peer.brief', () => this.#brief],
    ]);
  }

  /** Others know this data directory in a newer state: it has forgotten what it voted. */
  #rollBackFound(reason: string): void {
    this.#identity.condemn(reason);
    this.running?.member.host.bar();
    this.#nodeLog.absent(reason);
  }
}
