/**
 * The loop of the observer: ask, look, listen, and again.
 *
 * One sample is a request for the shared address and a look at the processes of
 * every machine; then it listens until the next is due. It waits in poll() and
 * not with timers, so nothing else in the process can come between. Once per
 * sample the event loop turns, which is when commands, signals and output that
 * was put off are served.
 */

import { AddressWatch, type Heard, TAGS } from './address-watch.ts';
import {
  ARP_REPLY,
  isArp,
  operation,
  parseIp,
  senderIp,
  senderMac,
  setSenderIp,
  targetIp,
  whoHas,
} from './arp-frame.ts';
import { ArpSocket } from './arp-socket.ts';
import { nowMs } from './clock.ts';
import { FrozenGroups } from './frozen-groups.ts';
import { GapMeter } from './gap-meter.ts';
import { interfaceName } from './libc.ts';
import { MachineProcesses, type ServiceTraits } from './machine-processes.ts';
import {
  GAP_MS_MAX,
  type ObserverEvent,
  type ObserverSummary,
  PROGRESS_SAMPLES,
  type Violation,
} from './report.ts';
import { provenTogether, ServiceWatch, type Sighting } from './service-watch.ts';

export interface ObserverOptions {
  /** The shared address. */
  readonly address: string;
  /** The interface of the bridge, and its hardware address as a number. */
  readonly bridge: string;
  readonly bridgeMac: number;
  /** The first of the 16 sender addresses; nobody else may use them. */
  readonly askFrom: string;
  readonly markers: readonly string[];
  readonly periodMs: number;
  readonly priority: string;
}

export class Observer {
  readonly #options: ObserverOptions;
  readonly #emit: (event: ObserverEvent) => void;
  readonly #socket: ArpSocket;
  readonly #request: Buffer;
  readonly #address: number;
  readonly #askFrom: number;
  readonly #addressWatch: AddressWatch;
  readonly #serviceWatch: ServiceWatch;
  readonly #addressGaps = new GapMeter();
  readonly #serviceGaps = new GapMeter();
  readonly #traits: ServiceTraits;
  readonly #machines: MachineProcesses[] = [];
  readonly #portNames = new Map<number, string>();
  #samples = 0;
  #arpFrames = 0;
  #stopping = false;

  constructor(options: ObserverOptions, emit: (event: ObserverEvent) => void) {
    this.#options = options;
    this.#emit = emit;
    this.#socket = new ArpSocket(options.bridge);
    this.#address = parseIp(options.address);
    this.#askFrom = parseIp(options.askFrom);
    this.#request = whoHas(options.bridgeMac, this.#address);
    this.#addressWatch = new AddressWatch(emit);
    this.#serviceWatch = new ServiceWatch(emit);
    const markers = options.markers.map((marker) => Buffer.from(marker, 'latin1'));
    this.#traits = { markers, frozen: new FrozenGroups() };
  }

  /** Follows a machine from now on; again after each boot of it. */
  follow(name: string, initPid: number): void {
    let machine = this.#machines.find((known) => known.name === name);
    if (machine === undefined) {
      machine = new MachineProcesses(name, this.#traits);
      this.#machines.push(machine);
    }
    machine.follow(initPid);
    this.#emit({ event: 'machine', atMs: nowMs(), machine: name });
  }

  /** Watches until `stop`; resolves after the last sample. */
  async watch(): Promise<void> {
    while (!this.#stopping) {
      this.#sample();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#listenUntil(nowMs());
    this.#addressGaps.close(nowMs());
    this.#serviceGaps.close(nowMs());
  }

  stop(): void {
    this.#stopping = true;
  }

  get violations(): Violation[] {
    return [...this.#serviceWatch.doubles.violations, ...this.#addressWatch.doubles.violations];
  }

  get summary(): ObserverSummary {
    const longestAddressGapMs = this.#addressGaps.longestMs;
    const longestServiceGapMs = this.#serviceGaps.longestMs;
    const longestGapMs = Math.max(longestAddressGapMs, longestServiceGapMs);
    const samples = Math.min(this.#addressGaps.marks, this.#serviceGaps.marks);
    const arpDropped = this.#socket.dropped;
    return {
      observer: this.#options.address,
      samples,
      longestGapMs,
      longestAddressGapMs,
      longestServiceGapMs,
      doubleService: this.#serviceWatch.doubles.samples,
      doubleAddress: this.#addressWatch.doubles.samples,
      holders: this.#addressWatch.holders,
      services: this.#serviceWatch.services,
      announcements: this.#addressWatch.announcements,
      arpFrames: this.#arpFrames,
      arpDropped,
      priority: this.#options.priority,
      void: longestGapMs > GAP_MS_MAX || samples === 0 || arpDropped > 0,
    };
  }

  #sample(): void {
    const startedAt = nowMs();
    this.#ask();
    this.#look();
    this.#listenUntil(startedAt + this.#options.periodMs);
    this.#samples += 1;
    const event = this.#samples === 1 ? 'ready' : 'progress';
    if (event === 'ready') this.#emit({ event, atMs: startedAt });
    else if (this.#samples % PROGRESS_SAMPLES === 0) {
      this.#emit({ event, atMs: startedAt, samples: this.#samples });
    }
  }

  #ask(): void {
    setSenderIp(this.#request, this.#askFrom + this.#addressWatch.nextTag);
    const atMs = nowMs();
    // A request that did not go out asks nobody: the gap grows.
    if (!this.#socket.send(this.#request)) return;
    this.#addressWatch.requested(atMs);
    this.#addressGaps.mark(atMs);
  }

  #look(): void {
    this.#serviceGaps.mark(nowMs());
    const first = this.#pass();
    if (first.filter((sighting) => sighting !== undefined).length < 2) return;
    const second = this.#pass();
    const together = provenTogether(first, second);
    if (together.length === 0) return;
    const names = together.map((index) => this.#machines[index]?.name ?? '');
    this.#serviceWatch.doubles.add(nowMs(), names);
  }

  #pass(): Sighting[] {
    return this.#machines.map((machine) => {
      const sighting = machine.findRunning();
      this.#serviceWatch.saw(machine.name, sighting !== undefined, nowMs());
      return sighting;
    });
  }

  /** Takes what comes until `endMs`; at least what is already there. */
  #listenUntil(endMs: number): void {
    for (;;) {
      for (let length = this.#socket.receive(); length >= 0; length = this.#socket.receive()) {
        this.#hear(length);
      }
      const leftMs = endMs - nowMs();
      if (leftMs <= 0.5) return;
      this.#socket.wait(Math.max(1, Math.floor(leftMs)));
    }
  }

  #hear(length: number): void {
    const { frame, port } = this.#socket;
    if (!isArp(frame, length)) return;
    this.#arpFrames += 1;
    if (senderIp(frame) !== this.#address) return;
    const heard: Heard = { atMs: nowMs(), mac: senderMac(frame), machine: this.#portName(port) };
    const isReply = operation(frame) === ARP_REPLY;
    const tag = targetIp(frame) - this.#askFrom;
    if (isReply && tag >= 0 && tag < TAGS) this.#addressWatch.answered(heard, tag);
    else if (targetIp(frame) === this.#address) {
      this.#addressWatch.announced(heard, isReply ? 'reply' : 'request');
    }
  }

  #portName(port: number): string {
    const known = this.#portNames.get(port);
    if (known !== undefined) return known;
    const buffer = Buffer.alloc(16);
    const found = interfaceName(port, buffer) !== null;
    // The port of a machine without power may be gone before its last frame is read.
    const name = found ? buffer.toString('latin1', 0, buffer.indexOf(0)) : `port ${port}`;
    this.#portNames.set(port, name);
    return name;
  }
}
