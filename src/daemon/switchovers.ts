/**
 * Planned moves of the service. Any node takes the request and watches the log for how
 * it goes; the primary begins it.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { Ajv } from 'ajv';
import { MailraftError } from '../errors.ts';
import type { Member } from './member.ts';
import type { PeerWatch } from './peer-watch.ts';
import type { Replication } from './replication-port.ts';

const text = Type.String({ maxLength: 256 });
const RequestSchema = Type.Object({
  /** Absent for the best member. */
  to: Type.Union([text, Type.Null()]),
  dryRun: Type.Boolean(),
});
const BegunSchema = Type.Object({
  from: text,
  to: text,
  epoch: Type.Integer({ minimum: 0 }),
});
/** A move that the primary begins, or would begin. */
export type BegunSwitchover = Static<typeof BegunSchema>;

const ajv = new Ajv();
const isRequest = ajv.compile<Static<typeof RequestSchema>>(RequestSchema as TSchema);
const isBegun = ajv.compile<BegunSwitchover>(BegunSchema as TSchema);

const LOOK_MS = 20;

/**
 * Begins a move at the primary, unless it is only asked what it would do.
 *
 * @throws {MailraftError} `NOT_LEADER` when this node does not serve,
 *   `PRECONDITION_FAILED` when nobody, or not the one asked for, could take over
 */
export function beginSwitchover(member: Member, self: string, params: unknown): BegunSwitchover {
  if (!isRequest(params)) throw new MailraftError('DATA_INVALID', 'no request for a switchover');
  const { life, fitness } = member;
  if (!member.serves || life.phase === 'secondary') {
    throw new MailraftError('NOT_LEADER', `this node does not serve: it is ${life.phase}`);
  }
  const ready = fitness.candidates.filter(({ isReady }) => isReady).map(({ id }) => id);
  const to = params.to ?? ready[0];
  if (to === self) throw new MailraftError('PRECONDITION_FAILED', `${self} is the primary already`);
  if (to === undefined || !ready.includes(to)) {
    const who = to === undefined ? 'no other member' : JSON.stringify(to);
    const others = ready.length === 0 ? 'none is' : `ready: ${ready.join(', ')}`;
    throw new MailraftError('PRECONDITION_FAILED', `${who} is ready to take over; ${others}`);
  }
  if (!params.dryRun) {
    member.switchOver(to);
  }
  return { from: self, to, epoch: life.term };
}

/** The answer of the primary to a request that was passed on. */
export function begunOf(value: unknown): BegunSwitchover {
  if (isBegun(value)) return value;
  throw new MailraftError('DATA_INVALID', 'the primary answers in a way that is not understood');
}

export interface WatchParts {
  readonly self: string;
  readonly member: Member;
  readonly replication: Replication;
  readonly peers: PeerWatch;
  readonly timeoutMs: number;
}

/**
 * Resolves with the new primary once it serves.
 *
 * @throws {MailraftError} `PRECONDITION_FAILED` when the old one serves on, `TIMED_OUT`
 *   when neither comes about in time
 */
export async function watchSwitchover(
  begun: BegunSwitchover,
  parts: WatchParts,
  report: (phase: string) => void,
): Promise<{ readonly from: string; readonly to: string; readonly epoch: number }> {
  const { from } = begun;
  let phase = '';
  const enter = (name: string): void => {
    if (name === phase) return;
    phase = name;
    report(name);
  };
  const endAtMs = performance.now() + parts.timeoutMs;
  while (performance.now() < endAtMs) {
    const step = stepOf(begun, parts);
    if (step.kind === 'failed') {
      throw new MailraftError('PRECONDITION_FAILED', `nobody took over, ${from} serves on`);
    }
    if (step.kind === 'done') return { from, to: step.to, epoch: step.epoch };
    enter(step.phase);
    await delay(LOOK_MS);
  }
  throw new MailraftError('TIMED_OUT', `no primary after ${parts.timeoutMs} ms, while ${phase}`);
}

type Step =
  | { readonly kind: 'underWay'; readonly phase: string }
  | { readonly kind: 'failed' }
  | { readonly kind: 'done'; readonly to: string; readonly epoch: number };

function stepOf({ from, epoch }: BegunSwitchover, parts: WatchParts): Step {
  const { self, member, replication, peers } = parts;
  const record = replication.status.state.tenure?.record;
  if (record !== undefined && record.term > epoch && record.kind === 'tenure') {
    const { holder, term } = record;
    const isUp = holder === self ? member.serves : peers.findFresh(holder)?.serves === true;
    if (!isUp) return { kind: 'underWay', phase: 'starting' };
    return holder === from ? { kind: 'failed' } : { kind: 'done', to: holder, epoch: term };
  }
  if (record?.kind === 'handover') return { kind: 'underWay', phase: 'handingOver' };
  const isOwn = self === from && !member.isSwitchingOver;
  if (isOwn && member.serves && member.life.phase !== 'secondary' && member.life.term === epoch) {
    return { kind: 'failed' };
  }
  return { kind: 'underWay', phase: 'stopping' };
}
