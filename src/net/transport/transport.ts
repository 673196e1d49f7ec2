/**
 * All of a node's talk with its peers: Raft messages on two channels, so that
 * heartbeats never wait behind data, and questions on a third.
 */

import type { MessageType } from '../../consensus/core/messages.ts';
import type { NodeId } from '../../consensus/core/types.ts';
import type { PeerMessage } from '../../consensus/host/ports.ts';
import { MailraftError } from '../../errors.ts';
import type { ConnectionTimes } from './connection.ts';
import { CHANNELS, type Channel, type Hello, PROTOCOL, type Refusal } from './hello.ts';
import { LogOutlet } from './log-outlet.ts';
import { decodeMessage, encodeMessage } from './message-codec.ts';
import { PeerLink } from './peer-link.ts';
import { PeerServer } from './peer-server.ts';
import { RpcClient, type RpcHandler, RpcServer } from './rpc.ts';
import type { Endpoint, TlsFiles } from './security.ts';

/** Who this node is to its peers. */
export interface Identity {
  readonly cluster: string;
  readonly id: NodeId;
  readonly incarnation: string;
  /** Empty until the cluster is founded. */
  readonly clusterId: string;
  /** How far the storage is: see the hello. */
  readonly term: number;
  readonly vote: string;
  readonly commit: number;
  readonly isWhole: boolean;
}

export interface TransportOptions {
  readonly listen: Endpoint;
  readonly peers: ReadonlyMap<NodeId, Endpoint>;
  readonly tls: TlsFiles | undefined;
  readonly times: ConnectionTimes;
  readonly handlers: ReadonlyMap<string, RpcHandler>;
  identity(): Identity;
  /** Why a peer of the right cluster is not listened to. */
  refusalOf(hello: Hello): Refusal;
}

export interface TransportEvents {
  onMessages(messages: readonly PeerMessage[]): void;
  /** Messages to a peer were lost. */
  onUnreachable(peer: NodeId): void;
  /** A connection to or from a peer changed, for the log. */
  onLink(peer: string, channel: string, text: string): void;
  /** A peer knows this node's storage in a newer state than it is now. */
  onRolledBack(reason: string): void;
}

const QUEUED_BYTES_MAX: Readonly<Record<Channel, number>> = {
  control: 256 * 1024,
  log: 16 * 1024 * 1024,
  bulk: 64 * 1024 * 1024,
};
const CONNECTIONS_MAX = 256;
const RPC_TIMEOUT_MS = 10_000;
/** So long who is no peer any more may go on to speak. */
const REVIEW_AFTER_MS = 1000;

/** Data, and what answers it, go apart from what keeps the lease. */
const LOG_MESSAGES: ReadonlySet<MessageType> = new Set(['append', 'appendResponse', 'snapshot']);

interface Peer {
  readonly endpoint: Endpoint;
  readonly links: Readonly<Record<Channel, PeerLink>>;
  readonly log: LogOutlet;
  readonly rpc: RpcClient;
}

export class Transport {
  readonly #options: TransportOptions;
  readonly #events: TransportEvents;
  readonly #server: PeerServer;
  readonly #peers = new Map<NodeId, Peer>();
  #reviewTimer: NodeJS.Timeout | undefined;
  #isStarted = false;
  #isClosed = false;

  constructor(options: TransportOptions, events: TransportEvents) {
    this.#options = options;
    this.#events = events;
    const servers = new WeakMap<Hello, RpcServer>();
    this.#server = new PeerServer(
      {
        endpoint: options.listen,
        tls: options.tls,
        times: options.times,
        connectionsMax: CONNECTIONS_MAX,
        refusalOf: (hello) => this.#refusalOf(hello),
        self: () => {
          const { id: from, incarnation, clusterId } = options.identity();
          return { from, incarnation, clusterId };
        },
      },
      {
        onPayload: (hello, payload, reply) => {
          if (hello.channel !== 'bulk') {
            this.#takeMessage(hello, payload);
            return;
          }
          const server = servers.get(hello) ?? new RpcServer(options.handlers);
          servers.set(hello, server);
          server.take(payload, hello.from, reply);
        },
        onRefused: (who, reason) => events.onLink(who, 'in', `refused: ${reason}`),
      },
    );
  }

  get port(): number {
    return this.#server.port;
  }

  async start(): Promise<void> {
    await this.#server.start();
    this.#isStarted = true;
    this.setPeers(this.#options.peers);
  }

  /** These are the others from now on, reached there; who speaks to this node is looked at anew. */
  setPeers(peers: ReadonlyMap<NodeId, Endpoint>): void {
    if (!this.#isStarted || this.#isClosed) return;
    for (const [id, { endpoint, links }] of this.#peers) {
      const next = peers.get(id);
      if (next?.host === endpoint.host && next.port === endpoint.port) continue;
      this.#peers.delete(id);
      for (const channel of CHANNELS) links[channel].close();
    }
    for (const [id, endpoint] of peers) {
      if (!this.#peers.has(id)) this.#peers.set(id, this.#link(id, endpoint));
    }
    // What was said until now, the answer to its own removal too, may still be heard.
    clearTimeout(this.#reviewTimer);
    this.#reviewTimer = setTimeout(() => this.#server.review(), REVIEW_AFTER_MS);
  }

  /**
   * Asks a node that is no peer (yet), over a connection of its own.
   *
   * @throws {MailraftError} see `ask`; `NO_QUORUM` when nothing answers there in time
   */
  async askAt(
    { id, endpoint }: { readonly id: NodeId; readonly endpoint: Endpoint },
    method: string,
    params: unknown,
    timeoutMs: number = RPC_TIMEOUT_MS,
  ): Promise<unknown> {
    const { tls, times } = this.#options;
    const peer: { rpc?: RpcClient; link?: PeerLink } = {};
    try {
      await new Promise<void>((resolve, reject) => {
        const fail = (reason: string): void => {
          peer.rpc?.lost(reason);
          const code = peer.link?.refusal === undefined ? 'NO_QUORUM' : 'PEER_REFUSED';
          reject(new MailraftError(code, reason));
        };
        setTimeout(() => fail(`nothing answered within ${timeoutMs} ms`), timeoutMs).unref();
        const hello = () => this.#hello(id, 'bulk');
        peer.link = new PeerLink(
          { endpoint, tls, times, queuedBytesMax: QUEUED_BYTES_MAX.bulk, hello },
          {
            onUp: resolve,
            onDown: fail,
            onDrop: () => undefined,
            onPayload: (payload) => peer.rpc?.take(payload),
            onRolledBack: () => undefined,
          },
        );
      });
      peer.rpc = new RpcClient((parts) => peer.link?.send(parts) === true);
      return await peer.rpc.ask(method, params, timeoutMs);
    } finally {
      peer.link?.close();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#reviewTimer);
    for (const { links, log } of this.#peers.values()) {
      log.close();
      for (const channel of CHANNELS) links[channel].close();
    }
    await this.#server.close();
  }

  send(peerMessage: PeerMessage): void {
    const { type, to } = peerMessage.message;
    const peer = this.#peers.get(to);
    if (LOG_MESSAGES.has(type)) peer?.log.send(peerMessage);
    else peer?.links.control.send(encodeMessage(peerMessage));
  }

  /**
   * Asks a peer.
   *
   * @throws {MailraftError} `PEER_REFUSED` when the peer does not want this node, else
   *   see `RpcClient.ask`
   */
  async ask(
    peer: NodeId,
    method: string,
    params: unknown,
    timeoutMs: number = RPC_TIMEOUT_MS,
  ): Promise<unknown> {
    const known = this.#peers.get(peer);
    if (known === undefined) throw new MailraftError('NOT_FOUND', `no peer ${peer}`);
    const refusal = this.refusalBy(peer);
    if (refusal !== undefined) throw new MailraftError('PEER_REFUSED', refusal);
    return await known.rpc.ask(method, params, timeoutMs);
  }

  isConnected(peer: NodeId): boolean {
    return this.#peers.get(peer)?.links.control.isUp === true;
  }

  /** Why there is no connection to a peer, for status. */
  problemOf(peer: NodeId): string | undefined {
    return this.#peers.get(peer)?.links.control.problem;
  }

  /** Why a peer that answers does not want this node; undefined while it does. */
  refusalBy(peer: NodeId): string | undefined {
    return this.#peers.get(peer)?.links.bulk.refusal;
  }

  #link(id: NodeId, endpoint: Endpoint): Peer {
    const rpc: RpcClient = new RpcClient((parts) => links.bulk.send(parts));
    const links = Object.fromEntries(
      CHANNELS.map((channel) => [channel, this.#open(id, endpoint, channel, rpc)]),
    ) as Record<Channel, PeerLink>;
    const log = new LogOutlet((message) => links.log.send(encodeMessage(message)));
    return { endpoint, links, log, rpc };
  }

  #open(id: NodeId, endpoint: Endpoint, channel: Channel, rpc: RpcClient): PeerLink {
    const { tls, times } = this.#options;
    const queuedBytesMax = QUEUED_BYTES_MAX[channel];
    let wasUp = true;
    return new PeerLink(
      { endpoint, tls, times, queuedBytesMax, hello: () => this.#hello(id, channel) },
      {
        onUp: () => {
          wasUp = true;
          this.#events.onLink(id, channel, 'connected');
        },
        onDown: (reason) => {
          if (this.#isClosed) return;
          if (channel === 'bulk') rpc.lost(reason);
          if (channel === 'log') this.#events.onUnreachable(id);
          // Each attempt fails alike: the first one is worth a line.
          if (wasUp) this.#events.onLink(id, channel, reason);
          wasUp = false;
        },
        onDrop: () => {
          if (channel === 'log') this.#events.onUnreachable(id);
        },
        onPayload: (payload) => rpc.take(payload),
        onRolledBack: (reason) => this.#events.onRolledBack(reason),
      },
    );
  }

  #hello(to: NodeId, channel: Channel): Hello {
    const { id: from, ...identity } = this.#options.identity();
    return { protocol: PROTOCOL, ...identity, from, to, channel };
  }

  #refusalOf(hello: Hello): Refusal {
    const own = this.#options.identity();
    const fault = clusterFault(hello, own);
    if (fault !== '') return { reason: fault, isRolledBack: false };
    const refusal = this.#options.refusalOf(hello);
    if (refusal.reason !== '' || hello.channel === 'bulk') return refusal;
    if (own.clusterId === '') return { ...refusal, reason: 'this node belongs to no cluster yet' };
    if (hello.clusterId !== '') return refusal;
    return { ...refusal, reason: `${hello.from} belongs to no cluster yet` };
  }

  #takeMessage(hello: Hello, payload: Buffer): void {
    const peerMessage = decodeMessage(payload);
    const { from, to } = peerMessage.message;
    if (from !== hello.from || to !== hello.to) {
      throw new MailraftError('FRAME_INVALID', `${hello.from} sent a message of ${from} to ${to}`);
    }
    this.#events.onMessages([peerMessage]);
  }
}

/** Why a node can not be of this cluster, whoever it is; empty when it can. */
function clusterFault(hello: Hello, own: Identity): string {
  if (hello.cluster !== own.cluster) {
    return `this is cluster ${JSON.stringify(own.cluster)}, not ${JSON.stringify(hello.cluster)}`;
  }
  const isOther = hello.clusterId !== own.clusterId && hello.clusterId !== '';
  if (!isOther || own.clusterId === '') return '';
  return `this is another cluster of the same name: ${hello.from} and ${own.id} were founded apart`;
}
