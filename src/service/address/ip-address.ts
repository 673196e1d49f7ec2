/**
 * A shared IPv4 address on an interface of this machine.
 *
 * Taken only after nobody on the network answered for it, announced by gratuitous ARP,
 * and ended by the kernel when no process of ours is left: to the millisecond by
 * `AddressGuard`, and as far as whole seconds go by the address's own lifetime.
 *
 * Every step is one synchronous exchange with the kernel, and all that `drop` needs is
 * open before anything is taken.
 */

import { messageOf, systemCode } from '../../errors.ts';
import { bootTimeMs } from '../../platform/linux/clock.ts';
import {
  type InterfaceAddress,
  InterfaceAddresses,
  interfaceIndex,
} from '../../platform/linux/interface-addresses.ts';
import type { AddressDriver, AddressEvents } from './address-driver.ts';
import { AddressGuard } from './address-guard.ts';
import { Announcer } from './announcer.ts';
import { DuplicateProbe } from './duplicate-probe.ts';
import { Expiry } from './expiry.ts';
import { lifetimeSeconds, parseIpv4, sharesSubnet } from './ipv4.ts';

/** What stands in the way now is likely to stand there in a moment. */
const RETRY_MS = 1000;
const RIGHTS = 'an address of its own takes the rights CAP_NET_ADMIN and CAP_NET_RAW';

export interface IpAddressConfig {
  readonly address: string;
  readonly prefix: number;
  readonly interface: string;
}

/** Where the address is held, and until when the kernel keeps it by itself. */
interface Place {
  readonly index: number;
  readonly hasRoute: boolean;
  endMs: number;
}

export class IpAddress implements AddressDriver {
  readonly label: string;
  readonly #config: IpAddressConfig;
  readonly #events: AddressEvents;
  readonly #makeGuard: (ip: Buffer) => AddressGuard;
  readonly #wanted: InterfaceAddress;
  readonly #addresses = new InterfaceAddresses();
  readonly #announcer: Announcer;
  readonly #expiry = new Expiry((isOver) => {
    if (isOver) this.drop();
  });
  #guard: AddressGuard | undefined;
  #note: string | undefined;
  #probe: DuplicateProbe | undefined;
  #place: Place | undefined;
  #problem: string | undefined;
  #retryAtMs = 0;
  #isClosed = false;

  /** @param makeGuard throws where the kernel can not guard */
  constructor(
    config: IpAddressConfig,
    events: AddressEvents,
    makeGuard: (ip: Buffer) => AddressGuard = (ip) => new AddressGuard(ip),
  ) {
    this.#config = config;
    this.#events = events;
    this.#makeGuard = makeGuard;
    this.label = `${config.address}/${config.prefix}`;
    this.#wanted = { ip: parseIpv4(config.address), prefix: config.prefix };
    this.#announcer = new Announcer(this.#wanted.ip, () => !this.#expiry.isOver);
  }

  get isHeld(): boolean {
    return this.#place !== undefined;
  }

  get announcements(): number {
    return this.#announcer.count;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  get expiry(): 'exact' | 'seconds' {
    return this.#guard === undefined ? 'seconds' : 'exact';
  }

  get note(): string | undefined {
    return this.#note;
  }

  /**
   * Removes what a former run left and shuts the address off.
   *
   * @throws SystemError when the address is there and can not be removed
   */
  prepare(): void {
    const index = interfaceIndex(this.#config.interface);
    for (const found of index === undefined ? [] : this.#addresses.list(index)) {
      if (index !== undefined && found.ip.equals(this.#wanted.ip)) {
        this.#addresses.remove(index, found);
      }
    }
    let guard: AddressGuard | undefined;
    try {
      guard = this.#makeGuard(this.#wanted.ip);
      guard.install();
      this.#guard = guard;
    } catch (error) {
      guard?.close();
      this.#note = `the kernel ends it by whole seconds: ${messageOf(error)}`;
    }
  }

  hold(untilMs: number): void {
    if (this.#isClosed) return;
    this.#expiry.arm(untilMs);
    this.#reporting(() => {
      if (this.#expiry.isOver) this.#release();
      else if (this.#place !== undefined) this.#renew(this.#place);
      else if (this.#probe === undefined && bootTimeMs() >= this.#retryAtMs) this.#ask();
    });
  }

  drop(): void {
    this.#reporting(() => {
      this.#problem = undefined;
      this.#retryAtMs = 0;
      this.#release();
    });
    // What could not be dropped is over, and dropped again with every look.
    if (this.isHeld) this.#expiry.arm(0);
    else this.#expiry.disarm();
  }

  close(): void {
    if (this.#isClosed) return;
    this.drop();
    this.#isClosed = true;
    this.#expiry.disarm();
    // What could not be removed stays shut off.
    if (!this.isHeld) this.#attempt(() => this.#guard?.remove());
    this.#guard?.close();
    this.#addresses.close();
  }

  /** Somebody may have it: asks first. */
  #ask(): void {
    this.#attempt(() => {
      const index = this.#index();
      this.#probe = new DuplicateProbe(index, this.#wanted.ip, (other) =>
        this.#reporting(() => this.#answered(index, other)),
      );
    });
  }

  #answered(index: number, other: string | undefined): void {
    this.#probe = undefined;
    if (other !== undefined) {
      this.#fail(`${this.#config.address} is in use: ${other} answers for it`);
    } else if (!this.#expiry.isOver) {
      const isTaken = this.#attempt(() => this.#take(index));
      if (!isTaken) this.#giveBack(index);
    }
  }

  #take(index: number): void {
    const { ip } = this.#wanted;
    const isCovered = this.#addresses.list(index).some((other) => sharesSubnet(other, ip));
    // Next to an address of the machine's own this one must not become what it speaks from.
    const place = { index, hasRoute: !isCovered, endMs: 0 };
    this.#extend(place);
    this.#announcer.start(index);
    this.#place = place;
    this.#problem = undefined;
  }

  #renew(place: Place): void {
    const isRenewed = this.#attempt(() => {
      const { ip } = this.#wanted;
      if (!this.#addresses.list(place.index).some((found) => found.ip.equals(ip))) {
        throw new Error(`${this.label} vanished from ${this.#config.interface}`);
      }
      this.#extend(place);
    });
    if (isRenewed) this.#problem = undefined;
    else this.#release();
  }

  /** Guard first: the address must not answer for longer than it is guarded. */
  #extend(place: Place): void {
    const { leftMs, untilMs } = this.#expiry;
    this.#guard?.allow(leftMs);
    const isGuarded = this.#guard !== undefined;
    // A guarded address may outlive its hold, so the kernel need not be told each time.
    if (isGuarded && place.endMs >= untilMs) return;
    const seconds = lifetimeSeconds(leftMs, isGuarded);
    const { index, hasRoute } = place;
    this.#addresses.set(index, this.#wanted, { lifetimeSeconds: seconds, hasRoute });
    place.endMs = bootTimeMs() + seconds * 1000;
  }

  #release(): void {
    const index = this.#place?.index;
    if (index === undefined || this.#giveBack(index)) this.#place = undefined;
    this.#probe?.stop();
    this.#probe = undefined;
    this.#announcer.stop();
  }

  /** Both ways, each also when the other fails; one is enough for nobody to be answered. */
  #giveBack(index: number): boolean {
    const isShut = this.#guard !== undefined && this.#attempt(() => this.#guard?.shut());
    const isRemoved = this.#attempt(() => this.#addresses.remove(index, this.#wanted));
    return isShut || isRemoved;
  }

  #index(): number {
    const index = interfaceIndex(this.#config.interface);
    if (index !== undefined) return index;
    throw new Error(`there is no interface ${JSON.stringify(this.#config.interface)}`);
  }

  /** Runs a step; what it throws becomes the problem. */
  #attempt(step: () => void): boolean {
    try {
      step();
      return true;
    } catch (error) {
      const isForbidden = systemCode(error) === 'EPERM';
      this.#fail(isForbidden ? `${messageOf(error)}: ${RIGHTS}` : messageOf(error));
      return false;
    }
  }

  #fail(problem: string): void {
    this.#problem = problem;
    this.#retryAtMs = bootTimeMs() + RETRY_MS;
  }

  /** Runs `act` and reports once if it changed anything. */
  #reporting(act: () => void): void {
    const [isHeld, problem] = [this.isHeld, this.#problem];
    act();
    if (this.isHeld !== isHeld || this.#problem !== problem) this.#events.onChange();
  }
}
