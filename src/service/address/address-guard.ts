/**
 * Lets the kernel end a shared address to the millisecond, whoever lives by then.
 *
 * Two tables of nf_tables drop what carries the address (ARP that answers for it, and
 * packets to and from it) unless a set names it, and the entry of the set has a time to
 * live. Without the entry the machine behaves as if it had no such address, also when
 * the address itself is still there.
 */

import { systemCode } from '../../errors.ts';
import type { NetlinkMessage } from '../../platform/linux/netlink.ts';
import {
  addAddressSet,
  addChain,
  addElement,
  addGuard,
  addTable,
  deleteTable,
  FAMILY,
  flushSet,
  NftSocket,
  type Table,
} from '../../platform/linux/nft.ts';

const SET = 'held';
/** Before connection tracking: what is to be dropped needs none. */
const PRIORITY = -350;
/** The kernel counts time to live in ticks and rounds up; its slowest tick is this long. */
const TICK_MS = 10;

interface Hook {
  readonly chain: string;
  readonly number: number;
  /** Where the address stands in the network header. */
  readonly offset: number;
}

/** Hooks by family: sender of ARP that goes out; destination in, source out. */
const HOOKS: readonly { readonly family: Table['family']; readonly hooks: readonly Hook[] }[] = [
  { family: FAMILY.arp, hooks: [{ chain: 'output', number: 1, offset: 14 }] },
  {
    family: FAMILY.ip,
    hooks: [
      { chain: 'input', number: 1, offset: 16 },
      { chain: 'output', number: 3, offset: 12 },
    ],
  },
];

export class AddressGuard {
  readonly #socket = new NftSocket();
  readonly #ip: Buffer;
  readonly #name: string;

  /** @param ip four bytes */
  constructor(ip: Buffer) {
    this.#ip = ip;
    this.#name = `mailraft_${ip.join('_')}`;
  }

  /** Shuts the address off, whatever a former run left. */
  install(): void {
    this.#commit(this.#tables().flatMap((table) => this.#fresh(table)));
  }

  /** Lets the address through for so long, from this moment, and not at all when it is short. */
  allow(leftMs: number): void {
    const timeoutMs = Math.floor(leftMs) - TICK_MS;
    if (timeoutMs <= 0) {
      this.shut();
      return;
    }
    const element = { ip: this.#ip, timeoutMs };
    const entries = this.#tables().map((table) => addElement(table, SET, element));
    try {
      this.#commit([...this.#flushes(), ...entries]);
    } catch (error) {
      // Somebody flushed the whole ruleset, as reloading a firewall does.
      if (systemCode(error) !== 'ENOENT') throw error;
      this.#commit([...this.#tables().flatMap((table) => this.#fresh(table)), ...entries]);
    }
  }

  /** Shuts the address off at once. */
  shut(): void {
    try {
      this.#commit(this.#flushes());
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      this.install();
    }
  }

  /** Takes the tables away: nothing stands in the address's way any more. */
  remove(): void {
    this.#commit(this.#tables().flatMap((table) => [addTable(table), deleteTable(table)]));
  }

  close(): void {
    this.#socket.close();
  }

  #commit(messages: readonly NetlinkMessage[]): void {
    this.#socket.commit(messages, `the tables ${JSON.stringify(this.#name)} of nf_tables`);
  }

  #tables(): readonly Table[] {
    return HOOKS.map(({ family }) => ({ family, name: this.#name }));
  }

  #flushes(): readonly NetlinkMessage[] {
    return this.#tables().map((table) => flushSet(table, SET));
  }

  #fresh(table: Table): readonly NetlinkMessage[] {
    const hooks = HOOKS.find(({ family }) => family === table.family)?.hooks ?? [];
    return [
      // Only what exists can be deleted.
      addTable(table),
      deleteTable(table),
      addTable(table),
      addAddressSet(table, SET),
      ...hooks.flatMap(({ chain, number, offset }) => [
        addChain(table, chain, { number, priority: PRIORITY }),
        addGuard(table, chain, { ip: this.#ip, offset, set: SET }),
      ]),
    ];
  }
}
