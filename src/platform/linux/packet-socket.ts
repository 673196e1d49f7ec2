/**
 * packet(7): ARP frames of one Ethernet interface, sent and received as they are.
 *
 * What goes out here passes no packet filter. Never blocks.
 */

import { close } from 'node:fs';
import { checked, nativeFunction } from './libc.ts';

const socketCall = nativeFunction('int socket(int domain, int type, int protocol)');
const bindCall = nativeFunction('int bind(int fd, const uint8_t *address, uint32_t length)');
const nameCall = nativeFunction('int getsockname(int fd, uint8_t *address, uint8_t *length)');
const sendCall = nativeFunction(
  'int64_t sendto(int fd, const uint8_t *data, size_t length, int flags, const uint8_t *to, uint32_t toLength)',
);
const receiveCall = nativeFunction('int64_t recv(int fd, uint8_t *data, size_t length, int flags)');

const AF_PACKET = 17;
const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0o4000 | 0o2000000;
const ETHERTYPE_ARP = 0x0806;
const ARPHRD_ETHER = 1;
const ADDRESS_BYTES = 20;
const MAC_OFFSET = 12;

export class ArpSocket {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafe(2048);
  #isClosed = false;

  /** @param index of the interface, which must be there */
  constructor(index: number) {
    this.#fd = checked(
      socketCall(AF_PACKET, SOCK_RAW_NONBLOCK_CLOEXEC, 0),
      'socket',
      () => 'AF_PACKET',
    );
    try {
      const address = linkAddress(index);
      checked(bindCall(this.#fd, address, address.length), 'bind', () => `interface ${index}`);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The interface's hardware address as of this moment; undefined unless it is Ethernet. */
  get mac(): Buffer | undefined {
    const address = Buffer.alloc(ADDRESS_BYTES);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(ADDRESS_BYTES, 0);
    checked(nameCall(this.#fd, address, length), 'getsockname', () => 'AF_PACKET');
    if (address.readUInt16LE(8) !== ARPHRD_ETHER) return undefined;
    return address.subarray(MAC_OFFSET, MAC_OFFSET + 6);
  }

  /** Sends a whole frame; false when the interface does not take it at this moment. */
  send(frame: Uint8Array): boolean {
    return sendCall(this.#fd, frame, frame.length, 0, null, 0) === frame.length;
  }

  /** The next frame that came in or went out; undefined when there is none, or no link. */
  receive(): Buffer | undefined {
    const length = receiveCall(this.#fd, this.#buffer, this.#buffer.length, 0);
    return length < 0 ? undefined : Buffer.from(this.#buffer.subarray(0, length));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // On another thread: the kernel waits until no processor uses the socket any more.
    close(this.#fd);
  }
}

function linkAddress(index: number): Buffer {
  const address = Buffer.alloc(ADDRESS_BYTES);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(ETHERTYPE_ARP, 2);
  address.writeInt32LE(index, 4);
  return address;
}
