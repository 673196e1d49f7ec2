/**
 * One node: guardian, transport, HTTP, and the member once the cluster is founded.
 */

import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import { renewIntervalMs } from '../config/timings.ts';
import { MailraftError } from '../errors.ts';
import { HttpServer } from '../net/http/http-server.ts';
import { NodeMetrics } from '../net/http/metrics.ts';
import { readOrMakeToken } from '../net/http/token-file.ts';
import type { RpcHandler } from '../net/transport/rpc.ts';
import type { TlsFiles } from '../net/transport/security.ts';
import { Transport } from '../net/transport/transport.ts';
import { bootTimeMs } from '../platform/linux/clock.ts';
import type { Logger } from '../platform/log.ts';
import { productVersion } from '../platform/version.ts';
import { GuardianClient } from '../service/guardian/client.ts';
import { Probes } from '../service/probe/probe-runner.ts';
import { Founding } from './founding.ts';
import { IdentityStore, WIPED_REMEDY } from './identity.ts';
import { LoopDelay } from './loop-delay.ts';
import { NodeLog } from './node-log.ts';
import { freshCounts, type NodeCounts, type NodeParts, type Running } from './node-parts.ts';
import { NodeService } from './node-service.ts';
import { openMember } from './open-member.ts';
import { PeerWatch } from './peer-watch.ts';
import { metricsSnapshot } from './status-report.ts';

export interface NodeOptions {
  /** Found the cluster even on data that look like the wrong ones. */
  readonly isForced: boolean;
}

const REST_LOOK_MS = 20;
/** A node that fails does not wait longer for its parts to end: the process does. */
const CLOSE_MS_MAX = 10_000;

export class MailNode implements NodeParts {
  readonly config: Config;
  readonly version: string = productVersion();
  readonly counts: NodeCounts = freshCounts();
  readonly probes: Probes;
  readonly failed: Promise<Error>;
  readonly #log: Logger;
  readonly #nodeLog: NodeLog;
  readonly #identity: IdentityStore;
  readonly #founding: Founding;
  readonly #metrics: NodeMetrics;
  readonly #http: HttpServer;
  readonly #service: NodeService;
  readonly #loopDelay: LoopDelay;
  readonly transport: Transport;
  #peers: PeerWatch | undefined;
  #guardian: GuardianClient | undefined;
  #opening: Promise<void> | undefined;
  #isClosing = false;
  running: Running | undefined;
  failure: Error | undefined;
  #reportFailure: (error: Error) => void = () => undefined;

  constructor(config: Config, log: Logger, { isForced }: NodeOptions) {
    this.config = config;
    this.#log = log;
    this.failed = new Promise((resolve) => {
      this.#reportFailure = resolve;
    });
    const { cluster, node } = config;
    this.#identity = new IdentityStore(node.dataDir, { cluster, id: node.id });
    this.probes = new Probes(config.service.probes, { onChange: () => this.#evaluate() });
    this.#metrics = new NodeMetrics(() => metricsSnapshot(this));
    this.#service = new NodeService(this);
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
    this.#founding = new Founding({ config, identity: this.#identity, log }, isForced, {
      ask: (peer, method, params) => this.transport.ask(peer, method, params),
      refusalBy: (peer) => this.transport.refusalBy(peer),
      onFounded: () => this.#openMember(),
    });
    this.transport = this.#makeTransport();
    this.#loopDelay = new LoopDelay((seconds) => {
      this.counts.eventLoopLagSeconds = seconds;
    });
  }

  get guardian(): GuardianClient {
    if (this.#guardian !== undefined) return this.#guardian;
    throw new MailraftError('PRECONDITION_FAILED', 'this node is starting');
  }

  get peers(): PeerWatch {
    if (this.#peers !== undefined) return this.#peers;
    throw new MailraftError('PRECONDITION_FAILED', 'this node is starting');
  }

  get foundingProblem(): string | undefined {
    return this.#founding.problem;
  }

  nowMs(): number {
    return bootTimeMs();
  }

  async start(): Promise<void> {
    const { config } = this;
    this.#guardian = await GuardianClient.start(
      {
        node: config.node.id,
        dataDir: config.node.dataDir,
        service: config.service,
        addresses: config.address,
        ending: config.timing.ending,
        renewEveryMs: renewIntervalMs(config.timing),
      },
      {
        onReport: () => this.#evaluate(),
        onLog: (level, text) => this.#nodeLog.guardian(level, text),
        onLost: (reason) => this.#nodeLog.guardianLost(reason),
      },
    );
    await this.transport.start();
    this.#peers = this.#watchPeers();
    await this.#http.start();
    this.#log.info({ http: this.#http.port, peers: this.transport.port }, 'listening');
    if (this.#identity.isFounded) this.#openMember();
    this.#founding.start();
    await this.#opening;
  }

  async stop(): Promise<void> {
    const { service, timing } = this.config;
    await this.#opening;
    this.running?.member.shutDown();
    const patienceMs = service.stopTimeoutMs + timing.leaseMs * 4;
    const endAtMs = performance.now() + patienceMs;
    while (this.running?.member.isAtRest === false && performance.now() < endAtMs) {
      await delay(REST_LOOK_MS);
    }
    await this.#close();
  }

  /** Gives up a start that failed. */
  async abandon(): Promise<void> {
    await this.#close();
  }

  #fail(error: Error): void {
    if (this.#isClosing || this.failure !== undefined) return;
    this.failure = error;
    this.running?.member.close();
    // Whoever fails lets go first: the guardian ends service and addresses.
    const closed = Promise.race([this.#close(), delay(CLOSE_MS_MAX)]);
    void closed.catch(() => undefined).then(() => this.#reportFailure(error));
  }

  async #close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#loopDelay.close();
    this.#founding.close();
    this.#peers?.close();
    this.probes.stop();
    await this.#guardian?.close();
    this.running?.member.close();
    if (this.failure === undefined) {
      await this.running?.replication.close();
      await this.running?.journal.close();
    }
    await this.transport.close();
    await this.#http.close();
  }

  #evaluate(): void {
    this.running?.member.evaluate();
  }

  /** The cluster is founded: this node is a member of it. */
  #openMember(): void {
    if (this.#opening !== undefined) return;
    this.#opening = this.#open().catch((error: Error) => this.#fail(error));
  }

  async #open(): Promise<void> {
    this.running = await openMember({
      config: this.config,
      log: this.#log,
      identity: this.#identity,
      transport: this.transport,
      guardian: this.guardian,
      probes: this.probes,
      peers: this.peers,
      onSync: (ms) => this.#metrics.observeFsync(ms / 1000),
      onMemberEvent: (event) => this.#nodeLog.member(event),
      onReplicationEvent: (event) => this.#nodeLog.replication(event),
      onFailed: (error) => this.#fail(error),
    });
  }

  #watchPeers(): PeerWatch {
    const { members, node, timing } = this.config;
    const peers = members.map(({ id }) => id).filter((id) => id !== node.id);
    return new PeerWatch(
      {
        peers,
        ask: (peer) => this.transport.ask(peer, 'peer.brief', {}),
        nowMs: bootTimeMs,
        onBrief: () => this.#evaluate(),
      },
      renewIntervalMs(timing),
    );
  }

  #makeTransport(): Transport {
    const { members, node, peers, timing } = this.config;
    const others = members.filter(({ id }) => id !== node.id);
    return new Transport(
      {
        listen: peers.listen,
        peers: new Map(others.map(({ id, address }) => [id, address])),
        tls: readTls(this.config),
        times: { pingMs: timing.leaseMs / 4, silenceMs: timing.leaseMs },
        handlers: this.#handlers(),
        identity: () => this.#identity.current,
        refusalOf: ({ from, incarnation }) => {
          if (!members.some(({ id }) => id === from)) return `no member is called ${from}`;
          const known = this.#identity.incarnationOf(from);
          if (known === undefined || known === incarnation) return '';
          return `${from} comes with another data directory than it had: ${WIPED_REMEDY}`;
        },
      },
      {
        onMessages: (messages) => this.running?.member.receive(messages),
        onUnreachable: (peer) => this.running?.member.reportUnreachable(peer),
        onLink: (peer, channel, text) => this.#nodeLog.link(peer, channel, text),
      },
    );
  }

  #handlers(): ReadonlyMap<string, RpcHandler> {
    const resync = (method: string): [string, RpcHandler] => [
      method,
      (params, from) => this.#member.replication.answer(method, params, from),
    ];
    return new Map<string, RpcHandler>([
      ['found.ask', () => this.#founding.answerAsk()],
      ['found.join', (params) => this.#founding.answerJoin(params)],
      ['peer.brief', () => this.#member.member.brief],
      ['peer.barrier', () => this.#service.barrierHere()],
      ['peer.switchover', (params) => this.#service.beginSwitchover(params)],
      resync('resync.open'),
      resync('resync.list'),
      resync('resync.chunk'),
    ]);
  }

  get #member(): Running {
    if (this.running !== undefined) return this.running;
    throw new MailraftError('PRECONDITION_FAILED', 'this node is no member of the cluster yet');
  }
}

function readTls({ peers }: Config): TlsFiles | undefined {
  if (peers.tls === undefined) return undefined;
  const { ca, cert, key } = peers.tls;
  const read = (path: string): string => readFileSync(path, 'utf8');
  return { ca: read(ca), cert: read(cert), key: read(key) };
}
