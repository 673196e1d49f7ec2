/**
 * A packet socket that hears the ARP traffic of every port of the bridge.
 *
 * Unicast replies between two ports never reach the bridge's own interface, so
 * the socket listens on all interfaces of the switch's namespace at once and
 * each frame tells by which port it came in. A filter in the kernel drops what
 * is not ARP; frames that leave the switch are not of interest.
 */

import { ARP_TYPE } from './arp-frame.ts';
import {
  attachFilter,
  bindSocket,
  errorNumber,
  type FilterInstruction,
  getOption,
  interfaceIndex,
  openSocket,
  receiveFrom,
  sendTo,
  setOption,
  waitForEvents,
} from './libc.ts';

const AF_PACKET = 17;
const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0o4000 | 0o2000000;
const ETH_P_ALL = 3;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SOL_PACKET = 263;
const PACKET_STATISTICS = 6;
const PACKET_IGNORE_OUTGOING = 23;
const PACKET_OUTGOING = 4;
const POLLIN = 1;
const ADDRESS_BYTES = 20;
const RECEIVE_BUFFER_BYTES = 8 << 20;

const ONLY_ARP: readonly FilterInstruction[] = [
  { code: 0x28, jt: 0, jf: 0, k: 12 }, // load the EtherType
  { code: 0x15, jt: 0, jf: 1, k: ARP_TYPE }, // skip the next unless it is ARP
  { code: 0x06, jt: 0, jf: 0, k: 0xffff }, // accept
  { code: 0x06, jt: 0, jf: 0, k: 0 }, // drop
];

export class ArpSocket {
  /** The frame that `receive` took last. */
  readonly frame = Buffer.alloc(2048);
  readonly #fd: number;
  readonly #bridgeIndex: number;
  readonly #from = Buffer.alloc(ADDRESS_BYTES);
  readonly #fromLength = Buffer.alloc(4);
  readonly #to: Buffer;
  readonly #poll = Buffer.alloc(8);
  #dropped = 0;

  constructor(bridge: string) {
    this.#bridgeIndex = interfaceIndex(bridge);
    if (this.#bridgeIndex === 0) throw new Error(`no interface ${JSON.stringify(bridge)}`);
    this.#to = linkAddress(this.#bridgeIndex, ARP_TYPE);
    // No protocol until the filter is in place: nothing else gets in before.
    this.#fd = openSocket(AF_PACKET, SOCK_RAW_NONBLOCK_CLOEXEC, 0);
    must('socket', this.#fd);
    must('filter', attachFilter(this.#fd, ONLY_ARP));
    // Older kernels lack this one; `receive` looks at each frame as well.
    setOption(this.#fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, int32(1), 4);
    const room = int32(RECEIVE_BUFFER_BYTES);
    if (setOption(this.#fd, SOL_SOCKET, SO_RCVBUFFORCE, room, 4) < 0) {
      must('receive buffer', setOption(this.#fd, SOL_SOCKET, SO_RCVBUF, room, 4));
    }
    must('bind', bindSocket(this.#fd, linkAddress(0, ETH_P_ALL), ADDRESS_BYTES));
    this.#poll.writeInt32LE(this.#fd, 0);
    this.#poll.writeInt16LE(POLLIN, 4);
  }

  /** Sends a frame out of the bridge, to every port. False when it did not go out. */
  send(frame: Buffer): boolean {
    return sendTo(this.#fd, frame, frame.length, 0, this.#to, ADDRESS_BYTES) === frame.length;
  }

  /** Waits until there is something to receive, at most `timeoutMs`. */
  wait(timeoutMs: number): void {
    waitForEvents(this.#poll, 1, timeoutMs);
  }

  /** Takes one frame that came in by a port. Its length, or -1 when there is none. */
  receive(): number {
    for (;;) {
      this.#fromLength.writeUInt32LE(ADDRESS_BYTES, 0);
      const length = receiveFrom(
        this.#fd,
        this.frame,
        this.frame.length,
        0,
        this.#from,
        this.#fromLength,
      );
      if (length < 0) return -1;
      // The bridge hands up a second copy of what it delivers to itself.
      const isCopy = this.port === this.#bridgeIndex || this.#from[10] === PACKET_OUTGOING;
      if (!isCopy) return length;
    }
  }

  /** The interface by which the last frame came in. */
  get port(): number {
    return this.#from.readInt32LE(4);
  }

  /** Frames that the kernel could not keep for us since the start. */
  get dropped(): number {
    const [statistics, length] = [Buffer.alloc(8), int32(8)];
    // The kernel sets its counters to zero when they are read.
    must('statistics', getOption(this.#fd, SOL_PACKET, PACKET_STATISTICS, statistics, length));
    this.#dropped += statistics.readUInt32LE(4);
    return this.#dropped;
  }
}

function linkAddress(index: number, protocol: number): Buffer {
  const address = Buffer.alloc(ADDRESS_BYTES);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(protocol, 2);
  address.writeInt32LE(index, 4);
  address.writeUInt8(6, 11);
  address.fill(0xff, 12, 18);
  return address;
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value, 0);
  return buffer;
}

function must(what: string, result: number): void {
  if (result < 0) throw new Error(`packet socket: ${what} failed with errno ${errorNumber()}`);
}
