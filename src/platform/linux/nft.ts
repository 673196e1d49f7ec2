/**
 * nf_tables through nfnetlink(7): just the messages that the guard of an address needs.
 *
 * Messages of one `NftSocket.commit` take effect together or not at all.
 */

import { attribute, FLAG, type NetlinkMessage, NetlinkSocket, nested } from './netlink.ts';

const NETLINK_NETFILTER = 12;
const SUBSYSTEM = 10;
const [BATCH_BEGIN, BATCH_END] = [0x10, 0x11] as const;
const MESSAGE = {
  newTable: 0,
  deleteTable: 2,
  newChain: 3,
  newRule: 6,
  newSet: 9,
  newElement: 12,
  deleteElement: 14,
} as const;
const REGISTER = 1;
const LIST_ELEMENT = 1;
const TYPE_IPV4 = 7;
const SET_TIMEOUT = 0x10;
const NETWORK_HEADER = 1;
const DROP = 0;

/** The families of tables, by the kernel's numbers. */
export const FAMILY = { ip: 2, arp: 3 } as const;
export type Family = (typeof FAMILY)[keyof typeof FAMILY];

/** A table of one family. */
export interface Table {
  readonly family: Family;
  readonly name: string;
}

export class NftSocket {
  readonly #socket = new NetlinkSocket(NETLINK_NETFILTER);

  /** @throws NetlinkError when the kernel refuses one of the messages, and so all */
  commit(messages: readonly NetlinkMessage[], about: string): void {
    const mark = Buffer.from([0, 0, 0, SUBSYSTEM]);
    const begin = { type: BATCH_BEGIN, flags: 0, body: mark };
    const end = { type: BATCH_END, flags: 0, body: mark };
    this.#socket.request([begin, ...messages, end], about);
  }

  close(): void {
    this.#socket.close();
  }
}

/** Makes the table unless it is there. */
export function addTable(table: Table): NetlinkMessage {
  return message(table, MESSAGE.newTable, FLAG.create, [attribute(1, text(table.name))]);
}

/** Removes the table with all that is in it. */
export function deleteTable(table: Table): NetlinkMessage {
  return message(table, MESSAGE.deleteTable, 0, [attribute(1, text(table.name))]);
}

/** A set of IPv4 addresses, each with a time to live. */
export function addAddressSet(table: Table, name: string): NetlinkMessage {
  return message(table, MESSAGE.newSet, FLAG.create, [
    attribute(1, text(table.name)),
    attribute(2, text(name)),
    attribute(3, uint32(SET_TIMEOUT)),
    attribute(4, uint32(TYPE_IPV4)),
    attribute(5, uint32(4)),
    // Rules of the same batch could name it by this number; the kernel wants one.
    attribute(10, uint32(1)),
  ]);
}

/** A chain that sees packets at the hook of that number. */
export function addChain(
  table: Table,
  name: string,
  hook: { readonly number: number; readonly priority: number },
): NetlinkMessage {
  return message(table, MESSAGE.newChain, FLAG.create, [
    attribute(1, text(table.name)),
    attribute(3, text(name)),
    nested(4, attribute(1, uint32(hook.number)), attribute(2, int32(hook.priority))),
    attribute(7, text('filter')),
  ]);
}

/** What a guarding rule looks at. */
export interface Guarded {
  /** Four bytes. */
  readonly ip: Buffer;
  /** Where in the packet's network header the address stands. */
  readonly offset: number;
  /** The set which lets it through. */
  readonly set: string;
}

/** A rule that drops packets which carry the address, unless the set holds it. */
export function addGuard(table: Table, chain: string, guarded: Guarded): NetlinkMessage {
  const { ip, offset, set } = guarded;
  const expressions = [
    expression('payload', [
      attribute(1, uint32(REGISTER)),
      attribute(2, uint32(NETWORK_HEADER)),
      attribute(3, uint32(offset)),
      attribute(4, uint32(ip.length)),
    ]),
    expression('cmp', [
      attribute(1, uint32(REGISTER)),
      attribute(2, uint32(0)),
      nested(3, attribute(1, ip)),
    ]),
    expression('lookup', [
      attribute(1, text(set)),
      attribute(2, uint32(REGISTER)),
      attribute(5, uint32(1)),
    ]),
    expression('immediate', [
      attribute(1, uint32(0)),
      nested(2, nested(2, attribute(1, uint32(DROP)))),
    ]),
  ];
  return message(table, MESSAGE.newRule, FLAG.create | FLAG.append, [
    attribute(1, text(table.name)),
    attribute(2, text(chain)),
    nested(4, ...expressions),
  ]);
}

/** Empties a set. */
export function flushSet(table: Table, set: string): NetlinkMessage {
  return message(table, MESSAGE.deleteElement, 0, [
    attribute(1, text(table.name)),
    attribute(2, text(set)),
  ]);
}

/** Puts an address into a set, for `timeoutMs`. */
export function addElement(
  table: Table,
  set: string,
  element: { readonly ip: Buffer; readonly timeoutMs: number },
): NetlinkMessage {
  const timeout = Buffer.alloc(8);
  timeout.writeBigUInt64BE(BigInt(element.timeoutMs));
  return message(table, MESSAGE.newElement, FLAG.create, [
    attribute(1, text(table.name)),
    attribute(2, text(set)),
    nested(3, nested(LIST_ELEMENT, nested(1, attribute(1, element.ip)), attribute(4, timeout))),
  ]);
}

function expression(name: string, attributes: readonly Buffer[]): Buffer {
  return nested(LIST_ELEMENT, attribute(1, text(name)), nested(2, ...attributes));
}

function message(
  { family }: Table,
  type: number,
  flags: number,
  attributes: readonly Buffer[],
): NetlinkMessage {
  const body = Buffer.concat([Buffer.from([family, 0, 0, 0]), ...attributes]);
  return { type: (SUBSYSTEM << 8) | type, flags: flags | FLAG.ack, body };
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
