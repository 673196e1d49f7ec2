/**
 * Tells the network where the address is: at once, a few times soon after, and every
 * now and then while it is held, since a neighbour that missed it goes on talking to
 * the former holder.
 */

import { ArpSocket } from '../../platform/linux/packet-socket.ts';
import { announcementFrames } from './arp-frame.ts';

const SOON_MS = [100, 300, 1000, 3000] as const;
const REFRESH_MS = 30_000;

export class Announcer {
  readonly #ip: Buffer;
  readonly #mayAnnounce: () => boolean;
  #socket: ArpSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #startedAtMs = 0;
  #count = 0;

  /** @param mayAnnounce asked before each: timers can fire late */
  constructor(ip: Buffer, mayAnnounce: () => boolean) {
    this.#ip = ip;
    this.#mayAnnounce = mayAnnounce;
  }

  /** How often the address was announced, in both forms. */
  get count(): number {
    return this.#count;
  }

  /** @param index of the interface that has the address */
  start(index: number): void {
    this.stop();
    this.#socket = new ArpSocket(index);
    this.#startedAtMs = performance.now();
    this.#announce();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#socket?.close();
    this.#socket = undefined;
  }

  #announce(): void {
    if (this.#mayAnnounce()) this.#send();
    const heldMs = performance.now() - this.#startedAtMs;
    const soon = SOON_MS.find((atMs) => atMs > heldMs);
    const afterMs = soon === undefined ? REFRESH_MS : soon - heldMs;
    this.#timer = setTimeout(() => this.#announce(), Math.ceil(afterMs));
  }

  #send(): void {
    const mac = this.#socket?.mac;
    // What is not Ethernet has no neighbours that would have to be told.
    if (mac === undefined) return;
    const sent = announcementFrames({ mac, ip: this.#ip }).map((frame) =>
      this.#socket?.send(frame),
    );
    if (sent.every((isSent) => isSent)) this.#count += 1;
  }
}
