/**
 * A simulated network: it delays, reorders, repeats and loses; its links can be slow
 * for a while, and be cut in one direction or both.
 */

import type { MessageType } from '../../src/consensus/core/messages.ts';
import type { PeerMessage } from '../../src/consensus/host/ports.ts';
import type { Chance } from './random.ts';
import type { World } from './world.ts';

export interface NetworkSettings {
  readonly delayMsMin: number;
  /** Of what comes on top, exponentially distributed: so messages overtake each other. */
  readonly delayMsMean: number;
  readonly lossRate: number;
  readonly replayRate: number;
  /** Share of messages that sit in a slow socket, for `clogMsMean`. */
  readonly clogRate: number;
  readonly clogMsMean: number;
  /** Messages of one type that are held up for up to so long, alone of all. */
  readonly late: { readonly type: MessageType; readonly rate: number; readonly ms: number };
}

/** Types whose lateness has a rule of its own. */
export const LATE_TYPES: readonly MessageType[] = [
  'timeoutNow',
  'vote',
  'voteResponse',
  'heartbeatResponse',
  'append',
  'appendResponse',
  'snapshot',
];

interface Link {
  /** How many faults cut it just now. */
  cuts: number;
  /** Nothing arrives before this moment of true time. */
  cloggedUntilMs: number;
}

/** What a message was sent on: it ends with the process of either end. */
export interface Connection {
  /** Number of the receiver's process. */
  readonly life: number;
  /** How often the sender's disk had lost something by then. */
  readonly damages: number;
}

export interface NetworkPorts {
  deliver(message: PeerMessage, connection: Connection): void;
  onFate(fate: 'lost' | 'replayed' | 'late' | 'clogged' | 'cut'): void;
  /** A message did not arrive, and its connection with it. */
  onBroken(from: string, to: string): void;
}

export class SimNetwork {
  readonly #world: World;
  readonly #chance: Chance;
  readonly #settings: NetworkSettings;
  readonly #ports: NetworkPorts;
  readonly #links = new Map<string, Map<string, Link>>();
  /** Decides about single messages before chance does; for written schedules. */
  intercept: ((message: PeerMessage) => 'pass' | 'drop') | undefined;
  isReliable = false;

  constructor(world: World, chance: Chance, settings: NetworkSettings, ports: NetworkPorts) {
    this.#world = world;
    this.#chance = chance;
    this.#settings = settings;
    this.#ports = ports;
  }

  cut(from: string, to: string): void {
    this.#link(from, to).cuts += 1;
  }

  heal(from: string, to: string): void {
    const link = this.#link(from, to);
    link.cuts = Math.max(0, link.cuts - 1);
  }

  /** Holds up everything on a link until `untilMs` of true time; then it comes at once. */
  clog(from: string, to: string, untilMs: number): void {
    this.#link(from, to).cloggedUntilMs = untilMs;
  }

  healAll(): void {
    this.#links.clear();
  }

  /** Cuts every link between `ids` and the others, both ways. */
  isolate(ids: ReadonlySet<string>, others: readonly string[]): void {
    for (const one of ids) {
      for (const other of others) {
        if (ids.has(other)) continue;
        this.cut(one, other);
        this.cut(other, one);
      }
    }
  }

  isCut(from: string, to: string): boolean {
    return this.#link(from, to).cuts > 0;
  }

  /** @param connection as it is now */
  send(sent: PeerMessage, connection: Connection): void {
    if (this.intercept?.(sent) === 'drop') return;
    if (this.isReliable) {
      this.#carry(sent, connection, this.#settings.delayMsMin);
      return;
    }
    const { lossRate, replayRate, clogMsMean } = this.#settings;
    if (this.#chance.happens(lossRate)) {
      this.#ports.onFate('lost');
      // The others are repeated sooner or later; that one only when its loss is noticed.
      if (sent.message.type === 'snapshot')
        this.#ports.onBroken(sent.message.from, sent.message.to);
      return;
    }
    this.#carry(sent, connection, this.#delayMs(sent));
    if (this.#chance.happens(replayRate)) {
      this.#ports.onFate('replayed');
      this.#carry(sent, connection, this.#chance.around(clogMsMean));
    }
  }

  #carry(sent: PeerMessage, connection: Connection, delayMs: number): void {
    const link = this.#link(sent.message.from, sent.message.to);
    const heldMs = link.cloggedUntilMs - this.#world.nowMs;
    this.#world.after(heldMs > 0 ? heldMs + delayMs : delayMs, () => {
      if (link.cuts === 0) {
        this.#ports.deliver(sent, connection);
        return;
      }
      this.#ports.onFate('cut');
      this.#ports.onBroken(sent.message.from, sent.message.to);
    });
  }

  #delayMs({ message }: PeerMessage): number {
    const { delayMsMin, delayMsMean, clogRate, clogMsMean, late } = this.#settings;
    if (message.type === late.type && this.#chance.happens(late.rate)) {
      this.#ports.onFate('late');
      return this.#chance.between(0, late.ms);
    }
    if (this.#chance.happens(clogRate)) {
      this.#ports.onFate('clogged');
      return delayMsMin + this.#chance.around(clogMsMean);
    }
    return delayMsMin + this.#chance.around(delayMsMean);
  }

  #link(from: string, to: string): Link {
    let links = this.#links.get(from);
    if (links === undefined) {
      links = new Map();
      this.#links.set(from, links);
    }
    let link = links.get(to);
    if (link === undefined) {
      link = { cuts: 0, cloggedUntilMs: 0 };
      links.set(to, link);
    }
    return link;
  }
}
