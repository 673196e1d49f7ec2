/**
 * What a daemon and its guardian say to each other.
 *
 * Every order has a number and is answered with a report that names it: so the
 * daemon knows what was armed, and what may still be about to happen.
 */

import type { AddressConfig, ServiceConfig } from '../../config/config.ts';
import type { ErrorCode } from '../../errors.ts';
import type { ProcessIdentity } from '../../platform/linux/processes.ts';
import type { GuardianFacts } from '../decide/situation.ts';
import type { Deadlines, EndingTimes } from '../tenure/deadlines.ts';
import type { Moment } from '../tenure/latch.ts';
import { noWord } from './line-channel.ts';

export interface GuardianSettings {
  readonly node: string;
  readonly dataDir: string;
  readonly service: ServiceConfig;
  readonly addresses: readonly AddressConfig[];
  readonly ending: EndingTimes;
  /** How often the daemon renews the tenure. */
  readonly renewEveryMs: number;
}

export type Order =
  | {
      readonly kind: 'serve' | 'restart' | 'stop';
      readonly epoch: number;
      readonly deadlines: Deadlines;
    }
  | { readonly kind: 'fence'; readonly epoch: number };

/** From the daemon. */
export type DaemonWord =
  | { readonly kind: 'begin'; readonly settings: GuardianSettings }
  | {
      readonly kind: 'order';
      readonly number: number;
      /** When it was said, on all clocks of the machine. */
      readonly saidAt: Moment;
      readonly order: Order;
    };

export interface AddressReport {
  readonly address: string;
  readonly held: boolean;
  readonly problem: string | undefined;
}

/** Everything that the guardian knows. */
export interface GuardianReport {
  readonly epoch: number;
  /** What is armed; undefined when nothing is. */
  readonly deadlines: Deadlines | undefined;
  readonly isOver: boolean;
  /** A tenure is carried out: addresses that are not held yet may be at any moment. */
  readonly isServing: boolean;
  readonly service: {
    readonly state: GuardianFacts['service'];
    readonly pid: number | undefined;
    readonly crashes: number;
  };
  /** Whose end is the end of the service. */
  readonly processes: readonly ProcessIdentity[];
  readonly addresses: readonly AddressReport[];
  readonly announcements: number;
}

export type LogLevel = 'info' | 'warn' | 'error';

/** From the guardian. */
export type GuardianWord =
  /** Nothing of an earlier run is left, and it waits for orders. */
  | { readonly kind: 'ready'; readonly protection: string; readonly report: GuardianReport }
  /** It can not do its work; it exits. */
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly message: string }
  /** `heard` is the number of the last order that was carried out. */
  | { readonly kind: 'report'; readonly heard: number; readonly report: GuardianReport }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly text: string };

/** Throws `DATA_INVALID` for what no daemon says. */
export function parseDaemonWord(value: unknown): DaemonWord {
  const word = value as Partial<Record<string, unknown>> | null;
  // The settings were validated when they were read from their file.
  if (word?.['kind'] === 'begin' && word['settings'] instanceof Object) {
    return value as DaemonWord;
  }
  if (word?.['kind'] === 'order' && isCount(word['number']) && isMoment(word['saidAt'])) {
    if (isOrder(word['order'])) return value as DaemonWord;
  }
  throw noWord(`${`${JSON.stringify(value)}`.slice(0, 100)}, which is no order`);
}

const KINDS: readonly unknown[] = ['serve', 'restart', 'stop'];

function isOrder(value: unknown): boolean {
  const order = value as Partial<Record<string, unknown>> | null | undefined;
  if (!isCount(order?.['epoch'])) return false;
  if (order?.['kind'] === 'fence') return true;
  return KINDS.includes(order?.['kind']) && areDeadlines(order?.['deadlines']);
}

function areDeadlines(value: unknown): boolean {
  const times = value as Partial<Record<keyof Deadlines, unknown>> | null | undefined;
  const { fenceAtMs, killAtMs, deadByMs } = times ?? {};
  if (!isTime(fenceAtMs) || !isTime(killAtMs) || !isTime(deadByMs)) return false;
  return fenceAtMs <= killAtMs && killAtMs <= deadByMs;
}

function isMoment(value: unknown): boolean {
  const moment = value as Partial<Record<keyof Moment, unknown>> | null | undefined;
  return isTime(moment?.bootMs) && isTime(moment?.monotonicMs) && isTime(moment?.wallMs);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTime(value: unknown): value is number {
  return Number.isFinite(value);
}
