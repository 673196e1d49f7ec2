/**
 * One node: guardian, transport, HTTP, and the member once the cluster is founded.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import { renewIntervalMs } from '../config/timings.ts';
import { MailraftError } from '../errors.ts';
import { HttpServer } from '../net/http/http-server.ts';
import { NodeMetrics } from '../net/http/metrics.ts';
import { readOrMakeToken } from '../net/http/token-file.ts';
import type { RpcHandler } from '../net/transport/rpc.ts';
import type { Transport } from '../net/transport/transport.ts';
import { bootTimeMs } from '../platform/linux/clock.ts';
import type { Logger } from '../platform/log.ts';
import { productVersion } from '../platform/version.ts';
import { GuardianClient } from '../service/guardian/client.ts';
import { Probes } from '../service/probe/probe-runner.ts';
import { Founding } from './founding.ts';
import { IdentityStore } from './identity.ts';
import { LoopDelay } from './loop-delay.ts';
import { absenceOf } from './members/absence.ts';
import { introduce } from './members/introduction.ts';
import { MemberChanges } from './members/member-changes.ts';
import { Roster } from './members/roster.ts';
import { SeenStates } from './members/seen-states.ts';
import { NodeLog } from './node-log.ts';
import { freshCounts, type NodeCounts, type NodeParts, type Running } from './node-parts.ts';
import { NodeService } from './node-service.ts';
import { endpointsOf, makeTransport } from './node-transport.ts';
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
  readonly roster: Roster;
  readonly failed: Promise<Error>;
  readonly #log: Logger;
  readonly #nodeLog: NodeLog;
  readonly #identity: IdentityStore;
  readonly #founding: Founding;
  readonly #metrics: NodeMetrics;
  readonly #http: HttpServer;
  readonly #service: NodeService;
  readonly #loopDelay: LoopDelay;
  readonly #seen = new SeenStates();
  readonly transport: Transport;
  readonly memberChanges: MemberChanges;
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
    this.roster = new Roster(config, () => this.transport.setPeers(endpointsOf(this.roster)));
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
      isListed: (id, incarnation) => this.roster.isListed(id, incarnation),
      onFounded: () => this.#openMember(),
    });
    this.transport = this.#makeTransport();
    this.memberChanges = new MemberChanges({
      identity: this.#identity,
      roster: this.roster,
      transport: this.transport,
      peers: () => this.peers,
      running: () => this.#member,
      nowMs: () => this.nowMs(),
    });
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
      roster: this.roster,
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
    if (this.#identity.current.fault !== '') this.running.member.bar();
    this.running.member.open();
  }

  #watchPeers(): PeerWatch {
    return new PeerWatch(
      {
        peers: () => this.roster.others.map(({ id }) => id),
        ask: (peer) => this.transport.ask(peer, 'peer.brief', {}),
        nowMs: bootTimeMs,
        onBrief: (brief) => {
          this.#seen.note(brief.incarnation, brief);
          this.#evaluate();
        },
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

  /** Others know this data directory in a newer state: it has forgotten what it promised. */
  #rollBackFound(reason: string): void {
    this.#identity.condemn(reason);
    this.running?.member.bar();
    this.#nodeLog.absent(reason);
  }

  #handlers(): ReadonlyMap<string, RpcHandler> {
    const resync = (method: string): [string, RpcHandler] => [
      method,
      (params, from) => this.#member.replication.answer(method, params, from),
    ];
    return new Map<string, RpcHandler>([
      ['found.ask', () => this.#founding.answerAsk()],
      ['found.join', (params) => this.#founding.answerJoin(params)],
      [
        'member.introduce',
        () =>
          introduce(this.#identity.current, this.running?.journal, {
            isWitness: false,
            fault: this.#identity.current.fault,
          }),
      ],
      ['member.step', (params) => this.memberChanges.step(params)],
      ['peer.brief', () => this.#member.member.brief],
      ['peer.barrier', () => this.#service.barrierHere()],
      ['peer.switchover', (params) => this.#service.beginSwitchover(params)],
      ['resync.open', (params, from) => this.#openState(params, from)],
      resync('resync.list'),
      resync('resync.chunk'),
    ]);
  }

  /** A state is listed with the members that the node knows which has it. */
  async #openState(params: unknown, from: string): Promise<unknown> {
    const { member, replication } = this.#member;
    const listed = await replication.answer('resync.open', params, from);
    const { membership, index: membershipIndex } = member.host.placedMembership;
    return { ...(listed as object), membership, membershipIndex };
  }

  get #member(): Running {
    if (this.running !== undefined) return this.running;
    throw new MailraftError('PRECONDITION_FAILED', 'this node is no member of the cluster yet');
  }
}
