/**
 * Who holds the shared address, judged by who answers for it.
 *
 * Every request is sent from one of 16 sender addresses in turn. An answer goes
 * to the address that asked, so it names the request it belongs to, however
 * late it comes. Two holders that answer the same request are a violation; that
 * a machine believes it holds the address, but nobody on the bridge hears its
 * answers, is none. A holder is a hardware address at a port: two machines with
 * the same hardware address are two holders.
 *
 * No sockets and no clock here: both are the caller's.
 */

import { formatMac } from './arp-frame.ts';
import type { Announcement, HolderInterval, ObserverEvent } from './report.ts';
import { ViolationLog } from './violations.ts';

/** Requests in turn have this many sender addresses. */
export const TAGS = 16;
/** A holder that leaves this many requests unanswered holds no more. */
const UNANSWERED_MAX = 4;
const ANNOUNCEMENTS_MAX = 2_000;

interface Slot {
  sequence: number;
  sentAtMs: number;
  /** Who answered first; empty while nobody did. */
  first: string;
  doubled: boolean;
}

interface Holder {
  readonly mac: string;
  readonly machine: string;
  readonly fromMs: number;
  toMs: number;
  answers: number;
  lastSequence: number;
}

/** One ARP frame that speaks for the shared address. */
export interface Heard {
  readonly atMs: number;
  readonly mac: number;
  readonly machine: string;
}

export class AddressWatch {
  readonly doubles: ViolationLog;
  readonly announcements: Announcement[] = [];
  readonly #emit: (event: ObserverEvent) => void;
  readonly #slots: Slot[];
  readonly #holding = new Map<string, Holder>();
  readonly #held: HolderInterval[] = [];
  #sequence = 0;

  constructor(emit: (event: ObserverEvent) => void) {
    this.#emit = emit;
    this.doubles = new ViolationLog('doubleAddress', emit);
    this.#slots = Array.from({ length: TAGS }, () => ({
      sequence: -1,
      sentAtMs: 0,
      first: '',
      doubled: false,
    }));
  }

  /** Which of the sender addresses the next request is to be sent from. */
  get nextTag(): number {
    return this.#sequence % TAGS;
  }

  /** A request went out from the address of `nextTag`. */
  requested(atMs: number): void {
    const slot = this.#slot(this.nextTag);
    slot.sequence = this.#sequence;
    slot.sentAtMs = atMs;
    slot.first = '';
    slot.doubled = false;
    for (const [key, holder] of this.#holding) {
      const unanswered = this.#sequence - holder.lastSequence - 1;
      if (unanswered >= UNANSWERED_MAX) this.#release(key, holder);
    }
    this.#sequence += 1;
  }

  /** Somebody answered the request of `tag`. */
  answered(heard: Heard, tag: number): void {
    const slot = this.#slot(tag);
    if (slot.sequence < 0) return;
    const mac = formatMac(heard.mac);
    const key = `${mac} ${heard.machine}`;
    this.#extend(key, mac, heard, slot);
    if (slot.first === '') {
      slot.first = key;
    } else if (slot.first !== key && !slot.doubled) {
      slot.doubled = true;
      const other = this.#holding.get(slot.first)?.machine ?? slot.first;
      this.doubles.add(slot.sentAtMs, [other, heard.machine]);
    }
  }

  /** Somebody told everybody that it has the address. */
  announced(heard: Heard, kind: Announcement['kind']): void {
    const { atMs, machine } = heard;
    const mac = formatMac(heard.mac);
    if (this.announcements.length < ANNOUNCEMENTS_MAX) {
      this.announcements.push({ atMs, mac, machine, kind });
    }
    this.#emit({ event: 'announcement', atMs, machine, mac });
  }

  /** All intervals in the order of their beginning, those that still last included. */
  get holders(): HolderInterval[] {
    const open = [...this.#holding.values()].map(toInterval);
    return [...this.#held, ...open].sort((a, b) => a.fromMs - b.fromMs);
  }

  #extend(key: string, mac: string, heard: Heard, slot: Slot): void {
    const holder = this.#holding.get(key);
    if (holder !== undefined) {
      holder.toMs = heard.atMs;
      holder.answers += 1;
      holder.lastSequence = Math.max(holder.lastSequence, slot.sequence);
      return;
    }
    const { machine, atMs } = heard;
    const fromMs = slot.sentAtMs;
    const lastSequence = slot.sequence;
    this.#holding.set(key, { mac, machine, fromMs, toMs: atMs, answers: 1, lastSequence });
    this.#emit({ event: 'holder', atMs: fromMs, machine, mac, holds: true });
  }

  #release(key: string, holder: Holder): void {
    this.#holding.delete(key);
    this.#held.push(toInterval(holder));
    const { machine, mac, toMs } = holder;
    this.#emit({ event: 'holder', atMs: toMs, machine, mac, holds: false });
  }

  #slot(tag: number): Slot {
    const slot = this.#slots[tag];
    if (slot === undefined) throw new Error(`no such tag: ${tag}`);
    return slot;
  }
}

function toInterval({ mac, machine, fromMs, toMs, answers }: Holder): HolderInterval {
  return { mac, machine, fromMs, toMs, answers };
}
