/**
 * IPv4 addresses of network interfaces, set and removed through rtnetlink(7).
 *
 * An address can be given a lifetime in whole seconds, after which the kernel removes
 * it by itself, about a quarter of a second late at most.
 */

import { nativeFunction, type SystemError } from './libc.ts';
import { attribute, decodeAttributes, FLAG, NetlinkSocket } from './netlink.ts';

const interfaceIndexCall = nativeFunction('uint32_t if_nametoindex(const char *name)');

const NETLINK_ROUTE = 0;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const AF_INET = 2;
const HEADER_BYTES = 8;
const [IFA_ADDRESS, IFA_LOCAL, IFA_CACHEINFO, IFA_FLAGS] = [1, 2, 6, 8] as const;
const IFA_F_NOPREFIXROUTE = 0x200;

export interface InterfaceAddress {
  /** Four bytes. */
  readonly ip: Buffer;
  readonly prefix: number;
}

/** The index of the interface of that name; undefined when there is none. */
export function interfaceIndex(name: string): number | undefined {
  const index = interfaceIndexCall(name);
  return index === 0 ? undefined : index;
}

export class InterfaceAddresses {
  readonly #socket = new NetlinkSocket(NETLINK_ROUTE);

  /** All of one interface; none when it is gone. */
  list(index: number): readonly InterfaceAddress[] {
    const ask = { type: RTM_GETADDR, flags: FLAG.dump, body: header(index, 0) };
    return this.#socket
      .request([ask], `the addresses of interface ${index}`)
      .filter(({ type, body }) => type === RTM_NEWADDR && indexOf(body) === index)
      .flatMap(({ body }) => {
        const ip = decodeAttributes(body, HEADER_BYTES).get(IFA_LOCAL);
        return ip === undefined ? [] : [{ ip, prefix: body[1] ?? 0 }];
      });
  }

  /**
   * Adds the address, or gives it another lifetime.
   *
   * @param lifetimeSeconds at least 1
   * @param hasRoute whether the address brings the route to its subnet
   */
  set(
    index: number,
    { ip, prefix }: InterfaceAddress,
    { lifetimeSeconds, hasRoute }: { readonly lifetimeSeconds: number; readonly hasRoute: boolean },
  ): void {
    const lifetime = Buffer.alloc(16);
    // The preferred lifetime as well: one without end keeps the kernel from looking.
    lifetime.writeUInt32LE(lifetimeSeconds, 0);
    lifetime.writeUInt32LE(lifetimeSeconds, 4);
    const flags = Buffer.alloc(4);
    flags.writeUInt32LE(hasRoute ? 0 : IFA_F_NOPREFIXROUTE, 0);
    const body = Buffer.concat([
      header(index, prefix),
      attribute(IFA_LOCAL, ip),
      attribute(IFA_ADDRESS, ip),
      attribute(IFA_CACHEINFO, lifetime),
      attribute(IFA_FLAGS, flags),
    ]);
    const message = { type: RTM_NEWADDR, flags: FLAG.ack | FLAG.create | FLAG.replace, body };
    this.#socket.request([message], `${ip.join('.')} on interface ${index}`);
  }

  /** Removes the address; false when it was not there. */
  remove(index: number, { ip, prefix }: InterfaceAddress): boolean {
    const body = Buffer.concat([header(index, prefix), attribute(IFA_LOCAL, ip)]);
    try {
      const about = `${ip.join('.')} on interface ${index}`;
      this.#socket.request([{ type: RTM_DELADDR, flags: FLAG.ack, body }], about);
      return true;
    } catch (error) {
      if (isAbsent(error)) return false;
      throw error;
    }
  }

  close(): void {
    this.#socket.close();
  }
}

/** No such address, or no such interface. */
function isAbsent(error: unknown): boolean {
  const { code } = error as SystemError;
  return code === 'EADDRNOTAVAIL' || code === 'ENODEV';
}

function header(index: number, prefix: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt8(AF_INET, 0);
  bytes.writeUInt8(prefix, 1);
  bytes.writeUInt32LE(index, 4);
  return bytes;
}

function indexOf(body: Uint8Array): number {
  return Buffer.from(body).readUInt32LE(4);
}
