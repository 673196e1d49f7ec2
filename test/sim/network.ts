/**
 * A simulated network: it delays, reorders, repeats and loses, and its links can
 * be cut in one direction or both.
 */

import type { MessageType } from '../../src/consensus/core/messages.ts';
import type { PeerMessage } from '../../src/consensus/host/ports.ts';
import type { Chance } from './random.ts';
import type { World } from './world.ts';

const CLOG_MS_MEAN = 2000;

export interface NetworkSettings {
  readonly delayMsMin: number;
  readonly delayMsMean: number;
  readonly lossRate: number;
  readonly replayRate: number;
  /** Share of messages that sit in a slow socket for seconds. */
  readonly clogRate: number;
  /** Messages of one type that are held up for up to so long, alone of all. */
  readonly late: { readonly type: MessageType; readonly rate: number; readonly ms: number };
}

/** Types whose lateness has a rule of its own. */
export const LATE_TYPES: readonly MessageType[] = [
  'timeoutNow',
  'vote',
  'heartbeatResponse',
  'append',
  'appendResponse',
  'snapshot',
];

export class SimNetwork {
  readonly #world: World;
  readonly #chance: Chance;
  readonly #settings: NetworkSettings;
  readonly #deliver: (message: PeerMessage) => void;
  readonly #cut = new Set<string>();
  /** Decides about single messages before chance does; for written schedules. */
  intercept: ((message: PeerMessage) => 'pass' | 'drop') | undefined;
  isReliable = false;
  readonly counts = { sent: 0, lost: 0, replayed: 0, cut: 0 };

  constructor(
    world: World,
    chance: Chance,
    settings: NetworkSettings,
    deliver: (message: PeerMessage) => void,
  ) {
    this.#world = world;
    this.#chance = chance;
    this.#settings = settings;
    this.#deliver = deliver;
  }

  cut(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`);
  }

  heal(from: string, to: string): void {
    this.#cut.delete(`${from}>${to}`);
  }

  healAll(): void {
    this.#cut.clear();
  }

  send(sent: PeerMessage): void {
    this.counts.sent += 1;
    if (this.intercept?.(sent) === 'drop') return;
    const { lossRate, replayRate } = this.#settings;
    if (!this.isReliable && this.#chance.happens(lossRate)) {
      this.counts.lost += 1;
      return;
    }
    this.#carry(sent);
    if (!this.isReliable && this.#chance.happens(replayRate)) {
      this.counts.replayed += 1;
      this.#world.after(this.#chance.around(CLOG_MS_MEAN), () => this.#carry(sent));
    }
  }

  #carry(sent: PeerMessage): void {
    this.#world.after(this.#delayMs(sent), () => {
      const { from, to } = sent.message;
      if (this.#cut.has(`${from}>${to}`)) this.counts.cut += 1;
      else this.#deliver(sent);
    });
  }

  #delayMs({ message }: PeerMessage): number {
    const { delayMsMin, delayMsMean, clogRate, late } = this.#settings;
    if (this.isReliable) return delayMsMin;
    const isLate = message.type === late.type && this.#chance.happens(late.rate);
    if (isLate) return this.#chance.between(0, late.ms);
    const isClogged = this.#chance.happens(clogRate);
    return delayMsMin + this.#chance.around(isClogged ? CLOG_MS_MEAN : delayMsMean);
  }
}
