/**
 * Asks the network whether somebody has the address, before it is taken: the local
 * proof that a former holder is gone (safety rule 9).
 *
 * Silence is no proof that nobody has it (a cut cable is silent as well); the lease is
 * what excludes that. An answer is proof that somebody has.
 */

import { ArpSocket } from '../../platform/linux/packet-socket.ts';
import { formatMac, probeFrame, senderOf } from './arp-frame.ts';

/** How long an answer is waited for, and how often within that is asked and looked. */
const WAIT_MS = 100;
const LOOK_MS = 5;
const ASK_EVERY_LOOKS = 6;
/** A flood of other ARP must not keep the look from ending. */
const FRAMES_PER_LOOK_MAX = 256;

export class DuplicateProbe {
  readonly #ip: Buffer;
  readonly #socket: ArpSocket;
  readonly #own: Buffer | undefined;
  readonly #onEnd: (other: string | undefined) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #startedAtMs = performance.now();
  #looks = 0;

  /**
   * @param index of the interface
   * @param onEnd gets the hardware address of who answered, at once when somebody does;
   *   is not called after `stop`
   */
  constructor(index: number, ip: Buffer, onEnd: (other: string | undefined) => void) {
    this.#ip = ip;
    this.#socket = new ArpSocket(index);
    this.#own = this.#socket.mac;
    this.#onEnd = onEnd;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#ask();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }

  #look(): void {
    const own = this.#own;
    const other = own === undefined ? undefined : this.#answer(own);
    // What is not Ethernet has nobody to ask.
    const isOver = own === undefined || performance.now() - this.#startedAtMs >= WAIT_MS;
    if (other !== undefined || isOver) {
      this.stop();
      this.#onEnd(other);
      return;
    }
    this.#looks += 1;
    if (this.#looks % ASK_EVERY_LOOKS === 0) this.#ask();
  }

  #ask(): void {
    if (this.#own !== undefined) this.#socket.send(probeFrame(this.#own, this.#ip));
  }

  #answer(own: Buffer): string | undefined {
    for (let count = 0; count < FRAMES_PER_LOOK_MAX; count += 1) {
      const frame = this.#socket.receive();
      if (frame === undefined) return undefined;
      const sender = senderOf(frame);
      if (sender !== undefined && this.#ip.equals(sender.ip) && !own.equals(sender.mac)) {
        return formatMac(sender.mac);
      }
    }
    return undefined;
  }
}
